//! File sharing. A user says `PEER NUMBER USER LINE`: a line of a script, in the name of a user,
//! typed at the terminal that the peer's first start has opened. Numbers count up.

use seedbed::rng::Rng;
use seedbed::sim::dialogue;
use seedbed::systems::p2p::{Command, P2pCluster, P2pMessage, Service};

fn say(text: &str, _: &[String]) -> Option<P2pMessage> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [peer, serial, user, name, arguments @ ..] = words.as_slice() else { return None };
    let command = match (*name, arguments) {
        ("create", [file, bytes]) => {
            Command::Create { file: (*file).to_owned(), bytes: bytes.parse().ok()?, hidden: false }
        }
        ("publish", [file, description @ ..]) => Command::Service {
            service: Service::Publish,
            user: (*user).to_owned(),
            arguments: vec![(*file).to_owned(), description.join(" ")],
        },
        (name, arguments) => Command::Service {
            service: Service::from_word(name)?,
            user: (*user).to_owned(),
            arguments: arguments.iter().map(ToString::to_string).collect(),
        },
    };
    // A peer draws its terminal's token first of all.
    let token = Rng::named(1, &format!("node:{peer}")).bits();
    let serial = serial.parse().ok()?;
    Some(P2pMessage::Command { token, serial, command: command.into() })
}

#[test]
fn dialogues_of_file_sharing_come_out_as_they_are() {
    crate::check("p2p", 6, |text| {
        let make = |text: &str| {
            let scenario = crate::scenario(text)?;
            let cluster = P2pCluster::new(&scenario);
            Ok((scenario, cluster))
        };
        dialogue::play(text, make, &mut say)
    });
}
