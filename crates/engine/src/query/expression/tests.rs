use std::collections::BTreeMap;

use super::*;

#[derive(Default)]
struct Object {
    id: &'static str,
    type_name: Option<&'static str>,
    members: BTreeMap<&'static str, &'static str>,
    fields: BTreeMap<&'static str, FieldValue<'static>>,
}

impl Scope for Object {
    fn member(&self, name: &[u8]) -> Option<Cow<'_, [u8]>> {
        let name = std::str::from_utf8(name).ok()?;
        self.members.get(name).map(|raw| Cow::Borrowed(raw.as_bytes()))
    }

    fn id(&self) -> &[u8] {
        self.id.as_bytes()
    }

    fn type_name(&self) -> Option<&'static str> {
        self.type_name
    }

    fn field(&self, name: &[u8]) -> Option<FieldValue<'_>> {
        self.fields.get(std::str::from_utf8(name).ok()?).copied()
    }
}

fn point(id: &'static str, fields: &[(&'static str, FieldValue<'static>)]) -> Object {
    let fields = fields.iter().copied().collect();
    Object { id, type_name: Some("Point"), fields, ..Object::default() }
}

fn is_true(text: &str, object: &Object) -> bool {
    Expression::compile(text.as_bytes()).evaluate(object)
}
