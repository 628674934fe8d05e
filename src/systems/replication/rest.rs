//! The operations of the assignment as requests and answers with JSON bodies, as its REST interface
//! has them.

use std::rc::Rc;

use serde_json::{Value, json};

use serde::{Deserialize, Serialize};

use super::record::{Form, Operation};
use super::table::Table;

/// What a client can ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// `GET /formulario/existe?id=…`
    Exists,
    /// `POST /formulario`
    Insert,
    /// `GET /formulario?id=…`
    Get,
    /// `GET /formularios`
    GetAll,
    /// `GET /formularios?genero=…`
    GetByGender,
    /// `PUT /formulario`
    Update,
    /// `DELETE /formulario?id=…`
    Delete,
}

impl Verb {
    /// All, with their names in `workload.mix` and in the history.
    pub const ALL: &[(&'static str, Verb)] = &[
        ("exists", Verb::Exists),
        ("insert", Verb::Insert),
        ("get", Verb::Get),
        ("get_all", Verb::GetAll),
        ("get_by_gender", Verb::GetByGender),
        ("update", Verb::Update),
        ("delete", Verb::Delete),
    ];

    /// Its name.
    pub fn word(self) -> &'static str {
        Verb::ALL.iter().find(|(_, verb)| *verb == self).map_or("", |(name, _)| name)
    }

    /// What it writes into the log, if anything.
    pub fn writes(self) -> Option<Operation> {
        match self {
            Verb::Insert => Some(Operation::Insert),
            Verb::Update => Some(Operation::Update),
            Verb::Delete => Some(Operation::Delete),
            _ => None,
        }
    }
}

/// Names longer than this are refused, characters.
pub const NAME_MAX: usize = 64;

/// The genders that the form offers.
pub const GENDERS: &[&str] = &["F", "M", "X"];

fn answer(status: &str, message: &str) -> Value {
    json!({ "status": status, "message": message })
}

fn text(value: Value) -> Rc<str> {
    value.to_string().into()
}

/// An answer that refuses a request.
pub fn refusal(message: &str) -> Rc<str> {
    text(answer("error", message))
}

/// A write as its body asks for it: the id, and the form unless it is a deletion. The error is the
/// message of the answer.
pub fn parse_write(
    operation: Operation,
    body: &str,
) -> Result<(Rc<str>, Option<Rc<Form>>), String> {
    if operation == Operation::Delete {
        return Ok((id_of(body)?, None));
    }
    let form: Form =
        serde_json::from_str(body).map_err(|error| format!("no es un formulario: {error}"))?;
    if form.id.is_empty() {
        return Err("falta el id".to_owned());
    }
    for (field, content) in
        [("id", &form.id), ("nombres", &form.nombres), ("apellidos", &form.apellidos)]
    {
        if content.chars().count() > NAME_MAX {
            return Err(format!("{field} tiene más de {NAME_MAX} caracteres"));
        }
    }
    if !GENDERS.contains(&form.genero.as_str()) {
        return Err(format!("genero debe ser uno de {}", GENDERS.join(", ")));
    }
    Ok((form.id.as_str().into(), Some(Rc::new(form))))
}

fn id_of(body: &str) -> Result<Rc<str>, String> {
    field(body, "id")
}

fn field(body: &str, name: &str) -> Result<Rc<str>, String> {
    let value: Value =
        serde_json::from_str(body).map_err(|error| format!("no es JSON: {error}"))?;
    match value.get(name).and_then(Value::as_str) {
        Some(found) if !found.is_empty() => Ok(found.into()),
        _ => Err(format!("falta {name}")),
    }
}

/// The answer to a write, once it is final.
pub fn written(operation: Operation, done: bool) -> Rc<str> {
    let (status, message) = match (operation, done) {
        (Operation::Insert, true) => ("success", "formulario guardado"),
        (Operation::Insert, false) => ("error", DUPLICATE),
        (Operation::Update, true) => ("success", "formulario actualizado"),
        (Operation::Delete, true) => ("success", "formulario eliminado"),
        (_, false) => ("error", MISSING),
    };
    text(answer(status, message))
}

/// The message of an insert whose id is taken.
pub const DUPLICATE: &str = "ya existe un formulario con ese id";
/// The message of a request for a form that is not there.
pub const MISSING: &str = "no existe un formulario con ese id";

/// Answer a read from a table.
pub fn read(verb: Verb, body: &str, table: &Table) -> Rc<str> {
    let found = match verb {
        Verb::Exists => id_of(body).map(|id| {
            let exists = table.get(&id).is_some();
            json!({ "status": "success", "message": if exists { "existe" } else { "no existe" }, "existe": exists })
        }),
        Verb::Get => id_of(body).map(|id| match table.get(&id) {
            Some(form) => json!({ "status": "success", "message": "formulario", "formulario": **form }),
            None => answer("error", MISSING),
        }),
        Verb::GetByGender => field(body, "genero").map(|genero| {
            let forms: Vec<&Form> = table.all().map(|form| &**form).filter(|form| *form.genero == *genero).collect();
            json!({ "status": "success", "message": "formularios", "formularios": forms })
        }),
        _ => {
            let forms: Vec<&Form> = table.all().map(|form| &**form).collect();
            Ok(json!({ "status": "success", "message": "formularios", "formularios": forms }))
        }
    };
    found.map_or_else(|message| refusal(&message), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"id":"k1","nombres":"Ada","apellidos":"Paz","genero":"F","folio":3}"#;

    /// What a person can get wrong in a form is answered with the field and the reason, and never
    /// stored.
    #[test]
    fn a_bad_body_is_an_error_with_its_reason() {
        let insert =
            |body: &str| parse_write(Operation::Insert, body).map(|(id, _)| id.to_string());
        assert_eq!(insert(GOOD), Ok("k1".to_owned()));
        assert_eq!(insert(&GOOD.replace("\"k1\"", "\"\"")), Err("falta el id".to_owned()));
        assert_eq!(
            insert(&GOOD.replace("\"F\"", "\"Q\"")),
            Err("genero debe ser uno de F, M, X".to_owned())
        );
        assert_eq!(
            insert(&GOOD.replace("Ada", &"a".repeat(65))),
            Err("nombres tiene más de 64 caracteres".to_owned())
        );
        for body in ["", "{", "[]", "{\"id\":\"k1\"}"] {
            assert!(
                insert(body).is_err_and(|message| message.starts_with("no es un formulario: ")),
                "{body}"
            );
        }
        assert_eq!(parse_write(Operation::Delete, "{}"), Err("falta id".to_owned()));
        assert_eq!(&read(Verb::Get, "nonsense", &Table::default())[..17], "{\"message\":\"no es");
    }

    /// The answers are those of the assignment.
    #[test]
    fn answers_have_a_status_and_a_message() {
        assert_eq!(
            &*written(Operation::Insert, true),
            r#"{"message":"formulario guardado","status":"success"}"#
        );
        assert_eq!(
            &*written(Operation::Insert, false),
            r#"{"message":"ya existe un formulario con ese id","status":"error"}"#
        );
        let none = read(Verb::Exists, r#"{"id":"k1"}"#, &Table::default());
        assert_eq!(&*none, r#"{"existe":false,"message":"no existe","status":"success"}"#);
    }
}
