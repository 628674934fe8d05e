use super::sample::Sample;
use super::*;

/// Temporary look.
#[test]
fn look() {
    let trace = Sample::default().trace();
    std::fs::create_dir_all("/tmp/plots").unwrap();
    for plot in PLOTS {
        let begin = std::time::Instant::now();
        let drawing = (plot.draw)(&trace).expect(plot.name);
        let took = begin.elapsed();
        println!("{} {:?} svg {} png {}", plot.name, took, drawing.svg.len(), drawing.png.len());
        std::fs::write(format!("/tmp/plots/{}.svg", plot.name), drawing.svg).unwrap();
        std::fs::write(format!("/tmp/plots/{}.png", plot.name), drawing.png).unwrap();
    }
}
