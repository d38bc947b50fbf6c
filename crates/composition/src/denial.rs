//! Components of denials: they export interfaces whose functions answer with a refusal, and do nothing.

use anyhow::{Context, Result};
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ExportKind, ExportSection, Function, FunctionSection,
    ImportSection, MemorySection, MemoryType, Module, TypeSection, ValType,
};
use wit_component::{ComponentEncoder, DecodedWasm, StringEncoding, embed_component_metadata};
use wit_parser::abi::{AbiVariant, WasmType};
use wit_parser::{
    Function as WitFunction, Handle, InterfaceId, LiftLowerAbi, ManglingAndAbi, PackageName,
    Resolve, ResourceIntrinsic, SizeAlign, Type, TypeDefKind, TypeId, TypeOwner, WasmExport,
    WasmExportKind, WasmImport, World, WorldId, WorldItem, WorldKey,
};

/// The cases of an error that refuse a capability: the first that an error has is taken.
pub const REFUSALS: [&str; 5] = [
    "access-denied",
    "undefined",
    "internal-error",
    "io",
    "other",
];

/// How functions are named and called: synchronously.
const ABI: ManglingAndAbi = ManglingAndAbi::Legacy(LiftLowerAbi::Sync);

/// Linear memory comes in pages of this size.
const PAGE_BYTES: u32 = 64 * 1024;

/// Returns a component that exports the interfaces which `component` imports as `denied`. Functions return an
/// error of [`REFUSALS`], an empty list, or nothing; one whose result has none of these traps.
///
/// # Errors
///
/// If `component` does not import one of these, or one is asynchronous.
pub(crate) fn component(component: &[u8], denied: &[&str]) -> Result<Vec<u8>> {
    let DecodedWasm::Component(mut resolve, world) = wit_component::decode(component)? else {
        anyhow::bail!("a package, and not a component");
    };
    let mut exports = Vec::new();
    for name in denied {
        let mut imports = resolve.worlds[world].imports.keys();
        let interface = imports.find_map(|key| match key {
            WorldKey::Interface(id) => {
                (resolve.id_of(*id).as_deref() == Some(*name)).then_some(*id)
            }
            WorldKey::Name(_) => None,
        });
        exports.push(interface.with_context(|| format!("{name} is not imported"))?);
    }
    let world = denial_world(&mut resolve, &exports)?;
    let mut module = DenialModule::new(&resolve)?;
    for interface in exports {
        for function in resolve.interfaces[interface].functions.values() {
            module.deny(interface, function)?;
        }
    }
    let mut module = module.finish();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    ComponentEncoder::default()
        .validate(true)
        .module(&module)?
        .encode()
}

/// Adds a world with these exports, and with imports of what their types need.
fn denial_world(resolve: &mut Resolve, exports: &[InterfaceId]) -> Result<WorldId> {
    let package = resolve.packages.alloc(wit_parser::Package {
        name: PackageName {
            namespace: "gatehouse".to_owned(),
            name: "denials".to_owned(),
            version: None,
        },
        docs: Default::default(),
        interfaces: Default::default(),
        worlds: Default::default(),
    });
    let mut world = World {
        name: "denials".to_owned(),
        imports: Default::default(),
        exports: Default::default(),
        package: Some(package),
        docs: Default::default(),
        stability: Default::default(),
        includes: Default::default(),
        span: Default::default(),
    };
    let mut needed = Vec::new();
    for export in exports {
        add_needed(resolve, *export, exports, &mut needed);
    }
    for interface in needed {
        world
            .imports
            .insert(WorldKey::Interface(interface), item(interface));
    }
    for export in exports {
        world
            .exports
            .insert(WorldKey::Interface(*export), item(*export));
    }
    let world = resolve.worlds.alloc(world);
    resolve.packages[package]
        .worlds
        .insert("denials".to_owned(), world);
    Ok(world)
}

fn item(id: InterfaceId) -> WorldItem {
    WorldItem::Interface {
        id,
        stability: Default::default(),
        external_id: None,
        docs: Default::default(),
        span: Default::default(),
    }
}

/// Adds the interfaces whose types `interface` uses, each behind those that it uses itself.
fn add_needed(
    resolve: &Resolve,
    interface: InterfaceId,
    exports: &[InterfaceId],
    needed: &mut Vec<InterfaceId>,
) {
    for used in resolve.interface_direct_deps(interface) {
        if !exports.contains(&used) && !needed.contains(&used) {
            add_needed(resolve, used, exports, needed);
            needed.push(used);
        }
    }
}

/// A core module under construction.
struct DenialModule<'a> {
    resolve: &'a Resolve,
    sizes: SizeAlign,
    types: TypeSection,
    imports: ImportSection,
    /// The functions, which are numbered behind all imports.
    functions: Vec<(String, u32, Vec<Step>)>,
    dropped: Vec<TypeId>,
    memory: Vec<u8>,
}

/// What a function does.
enum Step {
    /// Drops the borrowed resource in this parameter: one that is kept would trap.
    Drop {
        parameter: u32,
        import: u32,
    },
    /// Returns the address of the result.
    Return(i32),
    Trap,
}

impl<'a> DenialModule<'a> {
    fn new(resolve: &'a Resolve) -> Result<Self> {
        let mut sizes = SizeAlign::default();
        sizes.fill(resolve);
        Ok(Self {
            resolve,
            sizes,
            types: TypeSection::new(),
            imports: ImportSection::new(),
            functions: Vec::new(),
            dropped: Vec::new(),
            // Nothing lies at the null address.
            memory: vec![0; 16],
        })
    }

    fn deny(&mut self, interface: InterfaceId, function: &WitFunction) -> Result<()> {
        anyhow::ensure!(
            !function.kind.is_async(),
            "{} is asynchronous, and cannot be denied by a component",
            function.name
        );
        let signature = self
            .resolve
            .wasm_signature(AbiVariant::GuestExport, function);
        let kinds = |kinds: &[WasmType]| kinds.iter().map(|kind| value_type(*kind)).collect();
        let (parameters, results): (Vec<_>, Vec<_>) =
            (kinds(&signature.params), kinds(&signature.results));
        let kind = self.types.len();
        self.types.ty().function(parameters, results);
        let mut steps = Vec::new();
        if !signature.indirect_params {
            let mut parameter = 0;
            for given in &function.params {
                if let Some(resource) = self.foreign_borrow(interface, given.ty) {
                    let import = self.import_of_drop(resource);
                    steps.push(Step::Drop { parameter, import });
                }
                let mut flat = [WasmType::I32; 16];
                let mut flat = wit_parser::abi::FlatTypes::new(&mut flat);
                self.resolve.push_flat(&given.ty, &mut flat);
                parameter += u32::try_from(flat.to_vec().len())?;
            }
        }
        let refusal = function.result.filter(|_| signature.retptr);
        let refusal = match refusal {
            Some(result) => {
                self.refusal(&self.resolve.id_of(interface).unwrap_or_default(), result)?
            }
            None => None,
        };
        steps.push(refusal.map_or(Step::Trap, Step::Return));
        let key = WorldKey::Interface(interface);
        let name = self.resolve.wasm_export_name(
            ABI,
            WasmExport::Func {
                interface: Some(&key),
                func: function,
                kind: WasmExportKind::Normal,
            },
        );
        self.functions.push((name, kind, steps));
        Ok(())
    }

    /// Returns the resource if this is a borrow of one that another interface defines.
    fn foreign_borrow(&self, interface: InterfaceId, ty: Type) -> Option<TypeId> {
        let TypeDefKind::Handle(Handle::Borrow(resource)) = self.definition(ty)? else {
            return None;
        };
        let resource = self.origin(*resource);
        let owner = self.resolve.types[resource].owner;
        (owner != TypeOwner::Interface(interface)).then_some(resource)
    }

    /// Returns the number of the import that drops this resource.
    fn import_of_drop(&mut self, resource: TypeId) -> u32 {
        if let Some(position) = self.dropped.iter().position(|known| *known == resource) {
            return u32::try_from(position).unwrap_or(u32::MAX);
        }
        let TypeOwner::Interface(owner) = self.resolve.types[resource].owner else {
            return u32::MAX;
        };
        let key = WorldKey::Interface(owner);
        let (module, name) = self.resolve.wasm_import_name(
            ABI,
            WasmImport::ResourceIntrinsic {
                interface: Some(&key),
                resource,
                intrinsic: ResourceIntrinsic::ImportedDrop,
            },
        );
        let kind = self.types.len();
        self.types.ty().function([ValType::I32], []);
        self.imports
            .import(&module, &name, wasm_encoder::EntityType::Function(kind));
        self.dropped.push(resource);
        self.imports.len() - 1
    }

    /// Writes a refusal of this type into memory and returns its address; `None` if there is no such value.
    fn refusal(&mut self, interface: &str, ty: Type) -> Result<Option<i32>> {
        let align = self.sizes.align(&ty).align_wasm32();
        let at = self.memory.len().next_multiple_of(align.max(1));
        let size = self.sizes.size(&ty).size_wasm32();
        self.memory.resize(at + size, 0);
        let refused = match self.definition(ty) {
            // An empty list and an absent value are zeroes.
            Some(TypeDefKind::List(_) | TypeDefKind::Option(_)) => true,
            Some(TypeDefKind::Result(result)) => {
                let cases = [result.ok.as_ref(), result.err.as_ref()];
                let payload = self.sizes.payload_offset(wit_parser::Int::U8, cases);
                self.memory[at] = 1;
                match result.err {
                    Some(error) => self.error(interface, error, at + payload.size_wasm32()),
                    None => true,
                }
            }
            _ => false,
        };
        Ok(if refused {
            Some(i32::try_from(at)?)
        } else {
            None
        })
    }

    /// Writes a refusing error; `false` if this error has none.
    fn error(&mut self, interface: &str, ty: Type, at: usize) -> bool {
        let message = format!("{interface} is not permitted");
        let resolve = self.resolve;
        match self.definition(ty) {
            Some(TypeDefKind::Enum(cases)) => {
                let names = cases.cases.iter().map(|case| case.name.as_str());
                let Some(position) = refusing(names) else {
                    return false;
                };
                self.write(at, &position.to_le_bytes()[..width(cases.tag())]);
                true
            }
            Some(TypeDefKind::Variant(variant)) => {
                let names = variant.cases.iter().map(|case| case.name.as_str());
                let Some(position) = refusing(names) else {
                    return false;
                };
                let payload = self
                    .sizes
                    .payload_offset(
                        variant.tag(),
                        variant.cases.iter().map(|case| case.ty.as_ref()),
                    )
                    .size_wasm32();
                self.write(at, &position.to_le_bytes()[..width(variant.tag())]);
                match variant.cases[position].ty {
                    None => true,
                    Some(Type::String) => {
                        self.text(at + payload, &message);
                        true
                    }
                    Some(Type::Id(id))
                        if matches!(
                            resolve.types[self.origin(id)].kind,
                            TypeDefKind::Option(Type::String)
                        ) =>
                    {
                        self.memory[at + payload] = 1;
                        self.text(at + payload + 4, &message);
                        true
                    }
                    Some(_) => false,
                }
            }
            _ => false,
        }
    }

    /// Writes a string at the end of memory, and its address and length at `at`.
    fn text(&mut self, at: usize, text: &str) {
        let address = u32::try_from(self.memory.len()).unwrap_or(u32::MAX);
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        self.memory.extend_from_slice(text.as_bytes());
        self.write(at, &address.to_le_bytes());
        self.write(at + 4, &length.to_le_bytes());
    }

    fn write(&mut self, at: usize, bytes: &[u8]) {
        self.memory[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// What a type is, behind its names.
    fn definition(&self, ty: Type) -> Option<&'a TypeDefKind> {
        let Type::Id(id) = ty else { return None };
        Some(&self.resolve.types[self.origin(id)].kind)
    }

    /// The type behind names.
    fn origin(&self, mut id: TypeId) -> TypeId {
        while let TypeDefKind::Type(Type::Id(next)) = self.resolve.types[id].kind {
            id = next;
        }
        id
    }

    fn finish(mut self) -> Vec<u8> {
        let imported = self.imports.len();
        let realloc_kind = self.types.len();
        self.types.ty().function([ValType::I32; 4], [ValType::I32]);
        let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
        let mut exports = ExportSection::new();
        exports.export("memory", ExportKind::Memory, 0);
        for (number, (name, kind, steps)) in (imported..).zip(&self.functions) {
            functions.function(*kind);
            exports.export(name, ExportKind::Func, number);
            code.function(&body(steps));
        }
        functions.function(realloc_kind);
        exports.export(
            "cabi_realloc",
            ExportKind::Func,
            imported + functions.len() - 1,
        );
        let scratch = u32::try_from(self.memory.len())
            .unwrap_or(u32::MAX)
            .next_multiple_of(PAGE_BYTES);
        code.function(&realloc(scratch));
        let mut memory = MemorySection::new();
        memory.memory(MemoryType {
            minimum: u64::from(scratch / PAGE_BYTES) + 1,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        let mut data = DataSection::new();
        data.active(0, &ConstExpr::i32_const(0), self.memory);
        let mut module = Module::new();
        module
            .section(&self.types)
            .section(&self.imports)
            .section(&functions)
            .section(&memory)
            .section(&exports)
            .section(&code)
            .section(&data);
        module.finish()
    }
}

fn body(steps: &[Step]) -> Function {
    let mut function = Function::new([]);
    let mut code = function.instructions();
    for step in steps {
        match step {
            Step::Drop { parameter, import } => {
                code.local_get(*parameter).call(*import);
            }
            Step::Return(address) => {
                code.i32_const(*address);
            }
            Step::Trap => {
                code.unreachable();
            }
        }
    }
    code.end();
    function
}

/// Gives every argument the same place: none is ever read.
fn realloc(scratch: u32) -> Function {
    const NEW_SIZE: u32 = 3;
    let mut function = Function::new([]);
    function
        .instructions()
        // Pages that are missing: (scratch + new size + a page - 1) / a page - those there.
        .local_get(NEW_SIZE)
        .i32_const((scratch + PAGE_BYTES - 1).cast_signed())
        .i32_add()
        .i32_const(16)
        .i32_shr_u()
        .memory_size(0)
        .i32_sub()
        .local_tee(NEW_SIZE)
        .i32_const(0)
        .i32_gt_s()
        .if_(wasm_encoder::BlockType::Empty)
        .local_get(NEW_SIZE)
        .memory_grow(0)
        .i32_const(-1)
        .i32_eq()
        .if_(wasm_encoder::BlockType::Empty)
        .unreachable()
        .end()
        .end()
        .i32_const(scratch.cast_signed())
        .end();
    function
}

/// Returns the number of the case that refuses.
fn refusing<'a>(cases: impl Iterator<Item = &'a str> + Clone) -> Option<usize> {
    let position = |refusal: &&str| cases.clone().position(|case| case == *refusal);
    REFUSALS.iter().find_map(position)
}

fn value_type(kind: WasmType) -> ValType {
    match kind {
        WasmType::I64 | WasmType::PointerOrI64 => ValType::I64,
        WasmType::F32 => ValType::F32,
        WasmType::F64 => ValType::F64,
        WasmType::I32 | WasmType::Pointer | WasmType::Length => ValType::I32,
    }
}

fn width(tag: wit_parser::Int) -> usize {
    match tag {
        wit_parser::Int::U8 => 1,
        wit_parser::Int::U16 => 2,
        wit_parser::Int::U32 | wit_parser::Int::U64 => 4,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::interface::Interface;
    use wit_component::dummy_module;

    const CAPABILITIES: &str = "\
package test:capabilities@1.0.0;

interface networks {
    resource network;
}

interface names {
    use networks.{network};

    enum error { unknown, access-denied }
    variant detailed { undefined(string), other(string) }

    resource found {
        next: func() -> option<string>;
    }

    resolve: func(network: borrow<network>, name: string) -> result<found, error>;
    variable: func(name: string) -> result<string, detailed>;
    environment: func() -> list<tuple<string, string>>;
    now: func() -> u64;
}

interface plain {
    answer: func() -> string;
}

world dependency {
    import names;
    export plain;
}

world dependent {
    import plain;
}
";

    /// A component of one of the worlds above.
    pub(crate) fn of_world(world: &str) -> Vec<u8> {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("test.wit", CAPABILITIES).unwrap();
        let world = resolve.select_world(&[package], Some(world)).unwrap();
        let mut module = dummy_module(&resolve, world, ABI);
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
        let mut encoder = ComponentEncoder::default();
        encoder.module(&module).unwrap().encode().unwrap()
    }

    #[test]
    fn a_denial_exports_what_is_denied_and_imports_the_types_that_it_needs() {
        let denied = "test:capabilities/names@1.0.0";
        let denial = component(&of_world("dependency"), &[denied]).unwrap();
        let interface = Interface::of(&denial).unwrap();
        assert_eq!(interface.imports, ["test:capabilities/networks@1.0.0"]);
        assert_eq!(interface.exports, [denied]);
    }

    #[test]
    fn what_is_not_imported_cannot_be_denied() {
        component(&of_world("dependency"), &["test:capabilities/other"]).unwrap_err();
    }

    #[test]
    fn a_refusal_is_the_first_case_that_an_error_has_of_those_that_refuse() {
        let DecodedWasm::Component(resolve, world) =
            wit_component::decode(&of_world("dependency")).unwrap()
        else {
            panic!("a package");
        };
        let mut module = DenialModule::new(&resolve).unwrap();
        let names = resolve.worlds[world]
            .imports
            .keys()
            .find_map(|key| match key {
                WorldKey::Interface(id)
                    if resolve.interfaces[*id].name.as_deref() == Some("names") =>
                {
                    Some(*id)
                }
                _ => None,
            });
        let mut refusal = |function: &str| {
            let function = &resolve.interfaces[names.unwrap()].functions[function];
            let address = module.refusal("i", function.result.unwrap()).unwrap()?;
            let at = usize::try_from(address).unwrap();
            Some((at, module.memory.clone()))
        };
        let (at, memory) = refusal("resolve").unwrap();
        assert_eq!((memory[at], memory[at + 4]), (1, 1));
        let (at, memory) = refusal("variable").unwrap();
        assert_eq!((memory[at], memory[at + 4]), (1, 0));
        let word = |at: usize| u32::from_le_bytes(memory[at..at + 4].try_into().unwrap());
        let text = usize::try_from(word(at + 8)).unwrap();
        let length = usize::try_from(word(at + 12)).unwrap();
        assert_eq!(&memory[text..text + length], b"i is not permitted");
        let (at, memory) = refusal("environment").unwrap();
        assert_eq!(memory[at..at + 8], [0; 8]);
        assert!(refusal("now").is_none());
    }
}
