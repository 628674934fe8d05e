//! The texts for students and instructors, in both languages side by side. `{name}` is a
//! placeholder.

use super::model::{Lang, OutcomeKind, SeedVerdict};

macro_rules! phrases {
    ($($name:ident: $en:literal, $es:literal;)*) => {
        /// The phrases of one language.
        #[derive(Debug)]
        pub(super) struct Phrases {
            $(pub(super) $name: &'static str,)*
        }
        static EN: Phrases = Phrases { $($name: $en,)* };
        static ES: Phrases = Phrases { $($name: $es,)* };
        /// The phrases of both languages, for a test that compares them.
        #[cfg(test)]
        const PAIRS: &[(&str, &str, &str)] = &[$((stringify!($name), $en, $es),)*];
    };
}

phrases! {
    result_of: "Result of {student}", "Resultado de {student}";
    points: "Points", "Puntos";
    points_of: "{earned} of {max} points", "{earned} de {max} puntos";
    not_graded: "not graded", "sin calificar";
    not_final: "This is not the final result.", "Este no es el resultado definitivo.";
    ungraded:
        "{points} points could not be graded. They are not lost: your instructor has to look at \
        them.",
        "{points} puntos no se pudieron calificar. No están perdidos: tu profesor tiene que \
        revisarlo.";
    provisional: "Not everything was run: {why}", "No se ejecutó todo: {why}";
    items: "Items", "Apartados";
    item: "Item", "Apartado";
    runs: "Runs", "Ejecuciones";
    runs_right: "{ok} of {all} runs are right", "{ok} de {all} ejecuciones son correctas";
    seeds: "Seeds", "Semillas";
    seed: "seed {seed}", "semilla {seed}";
    hidden_seed: "hidden seed {number}", "semilla oculta {number}";
    lost_points: "What cost points", "Qué costó puntos";
    full_points: "Every item has full points.", "Todos los apartados tienen la puntuación máxima.";
    rule: "Rule", "Regla";
    source: "Source", "Fuente";
    found: "What was found", "Qué se encontró";
    also_found: "Also found", "También se encontró";
    moment: "Moment", "Momento";
    at_node: "at {node}", "en {node}";
    virtual_time: "{time} s of virtual time", "{time} s de tiempo virtual";
    messages: "Messages around that moment", "Mensajes alrededor de ese momento";
    sent: "Sent (s)", "Enviado (s)";
    arrived: "Arrived (s)", "Recibido (s)";
    from: "From", "De";
    to: "To", "A";
    kind: "Type", "Tipo";
    detail: "Content", "Contenido";
    fate: "What happened to it", "Qué ocurrió con él";
    picture:
        "Space-time diagram: time runs to the right, each arrow is a message",
        "Diagrama espacio-tiempo: el tiempo corre hacia la derecha, cada flecha es un mensaje";
    printed:
        "The last things the program printed and observed",
        "Lo último que el programa imprimió u observó";
    repeat: "Repeat it at home", "Repítelo en casa";
    cannot_repeat:
        "This seed is hidden, so the run cannot be repeated at home. The item's public seeds test \
        the same thing.",
        "Esta semilla es oculta: la ejecución no se puede repetir en casa. Las semillas públicas \
        del apartado comprueban lo mismo.";
    feedback: "From your instructor", "De tu profesor";
    gate_closed:
        "Not run: it requires full points in “{gate}” first.",
        "No se ejecutó: antes hay que obtener la puntuación máxima en «{gate}».";
    no_program: "There was no program to run.", "No había programa que ejecutar.";
    only_hidden:
        "{count} more tests, worth {max} points, are not shown here.",
        "Otras {count} pruebas, que valen {max} puntos, no se muestran aquí.";
    further_tests: "Tests that are not shown", "Pruebas que no se muestran";
    what_is_wrong: "What is wrong", "Qué está mal";
    what_to_do: "What to do", "Qué hacer";
    compiler_said: "What the compiler said", "Qué dijo el compilador";
    notes: "Notes", "Notas";
    about: "About this grading", "Sobre esta calificación";
    submission: "Submission", "Entrega";
    language: "Language", "Lenguaje";
    command: "Command", "Comando";
    digest: "Digest", "Resumen criptográfico";
    version: "seedbed {version}", "seedbed {version}";
    sandbox: "Sandbox measures", "Medidas de aislamiento";
    in_force: "in force", "activa";
    missing: "missing", "falta";
    class: "Class", "Clase";
    student: "Student", "Estudiante";
    students: "Students: {count}", "Estudiantes: {count}";
    average: "Average", "Media";
    complete: "fully graded", "calificados por completo";
    missed_items: "What was missed most often", "Lo que más se falló";
    missed_rules: "Rules that were violated most often", "Las reglas más incumplidas";
    lost_by: "Lost by", "Lo pierden";
    points_lost: "Points lost on average", "Puntos perdidos de media";
    nothing_missed: "Nobody lost any points.", "Nadie ha perdido puntos.";
    outcome: "Outcome", "Resultado";
    reason: "Reason", "Motivo";
    same_cause: "Further runs: {count}", "Otras ejecuciones: {count}";
}

/// The phrases of a language.
pub(super) fn phrases(lang: Lang) -> &'static Phrases {
    match lang {
        Lang::En => &EN,
        Lang::Es => &ES,
    }
}

/// Replace the placeholders in braces.
pub(super) fn fill(phrase: &str, values: &[(&str, &str)]) -> String {
    // Inserted values are not scanned again: a student may be named `{max}`.
    let mut text = String::with_capacity(phrase.len());
    let mut rest = phrase;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        text.push_str(before);
        text.push_str(
            values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value),
        );
        rest = after;
    }
    text + rest
}

/// An untrusted text with every character visible: control characters and changes of writing
/// direction could make a program's output look like something else. Line breaks and tabs stay.
pub(super) fn printable(text: &str) -> String {
    let is_unseen = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let mut shown = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").chars() {
        if is_unseen(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    shown
}

/// What a verdict means, as a sentence.
pub(super) fn meaning(verdict: SeedVerdict, lang: Lang) -> &'static str {
    let (en, es) = match verdict {
        SeedVerdict::Ok => ("right", "correcta"),
        SeedVerdict::Wrong => ("a rule was violated", "se incumplió una regla"),
        SeedVerdict::Crash => ("the program exited", "el programa terminó por su cuenta"),
        SeedVerdict::NoProgress => (
            "something that should have happened did not, though there was enough time",
            "algo que debía ocurrir no ocurrió, aunque hubo tiempo de sobra",
        ),
        SeedVerdict::BusyLoop => (
            "the program looped forever and gave no answer",
            "el programa entró en un bucle infinito y no respondió",
        ),
        SeedVerdict::ProtocolError => (
            "the program's answer could not be understood",
            "no se entendió la respuesta del programa",
        ),
        SeedVerdict::Nondeterministic => (
            "the same seed gave two different runs",
            "la misma semilla dio dos ejecuciones distintas",
        ),
        SeedVerdict::Unknown => (
            "a check could not decide; this costs no points",
            "una comprobación no pudo decidir; no cuesta puntos",
        ),
        SeedVerdict::InfraError => (
            "the testbed failed; this costs no points",
            "falló el banco de pruebas; no cuesta puntos",
        ),
    };
    match lang {
        Lang::En => en,
        Lang::Es => es,
    }
}

/// A verdict in one word; in English, the word used in results.
pub(super) fn verdict_word(verdict: SeedVerdict, lang: Lang) -> &'static str {
    if lang == Lang::En {
        return verdict.word();
    }
    match verdict {
        SeedVerdict::Ok => "correcta",
        SeedVerdict::Wrong => "incorrecta",
        SeedVerdict::Crash => "caída",
        SeedVerdict::NoProgress => "sin avance",
        SeedVerdict::BusyLoop => "bucle infinito",
        SeedVerdict::ProtocolError => "error de protocolo",
        SeedVerdict::Nondeterministic => "no determinista",
        SeedVerdict::Unknown => "sin decidir",
        SeedVerdict::InfraError => "fallo del banco de pruebas",
    }
}

/// The outcome of a submission in one word; in English, the word used in results.
pub(super) fn outcome_word(kind: OutcomeKind, lang: Lang) -> &'static str {
    if lang == Lang::En {
        return kind.word();
    }
    match kind {
        OutcomeKind::Graded => "calificada",
        OutcomeKind::NoProgram => "sin programa",
        OutcomeKind::WrongLanguage => "otro lenguaje",
        OutcomeKind::BuildFailed => "no compila",
        OutcomeKind::Unreadable => "ilegible",
        OutcomeKind::NotStarted => "no arranca",
        OutcomeKind::InternalError => "error interno",
    }
}

/// A message's outcome in words; an unknown word stays as it is.
pub(super) fn fate(word: &str, lang: Lang) -> &str {
    const FATES: [(&str, &str, &str); 8] = [
        ("delivered", "delivered", "entregado"),
        ("lost", "lost", "perdido"),
        ("partitioned", "stopped by a partition", "bloqueado por una partición"),
        ("duplicated", "delivered again", "entregado otra vez"),
        ("corrupted", "delivered with flipped bits", "entregado con bits alterados"),
        ("node_down", "the receiver was down", "el receptor estaba caído"),
        ("discarded", "discarded on arrival", "descartado al llegar"),
        ("in_flight", "still on its way", "aún en camino"),
    ];
    FATES
        .iter()
        .find(|(known, ..)| *known == word)
        .map_or(word, |(_, en, es)| if lang == Lang::Es { es } else { en })
}

/// Virtual time in seconds, to the microsecond.
pub(super) fn seconds(time_ns: u64) -> String {
    format!("{}.{:06}", time_ns / 1_000_000_000, time_ns / 1_000 % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A placeholder missing in one language would lose information.
    #[test]
    fn both_languages_say_the_same() {
        let slots = |text: &str| {
            let mut slots: Vec<String> = text
                .split('{')
                .skip(1)
                .map(|rest| rest.split('}').next().unwrap_or("").to_owned())
                .collect();
            slots.sort();
            slots
        };
        for (name, en, es) in PAIRS {
            assert_eq!(slots(en), slots(es), "{name}");
            assert!(!en.is_empty() && !es.is_empty(), "{name}");
        }
    }

    /// Students read instructors' texts next to these phrases, and both must address them in the
    /// same way.
    #[test]
    fn students_are_spoken_to_as_tu() {
        for (name, _, es) in PAIRS {
            let words = es.split(|c: char| !c.is_alphabetic()).map(str::to_lowercase);
            let mut formal = words.filter(|word| {
                ["usted", "su", "repítalo", "vea", "mire", "pruebe"].contains(&word.as_str())
            });
            assert_eq!(formal.next(), None, "{name}: {es}");
        }
    }

    /// Inserted values are plain text, whatever they look like.
    #[test]
    fn names_are_not_filled_in_again() {
        assert_eq!(fill("{a} of {b}", &[("a", "{b}"), ("b", "2")]), "{b} of 2");
    }
}
