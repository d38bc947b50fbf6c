//! The resources of Kubernetes for an application: a `SpinApp` (core.spinkube.dev/v1alpha1) and its Secrets, in YAML.
//!
//! `spin-operator/` has the operator's schema, against which the tests hold what is written here.

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What the resources are made of.
pub(super) struct Application<'a> {
    /// The name of the `SpinApp`, of its deployment and its service.
    pub(super) name: &'a str,
    /// The namespace; `None`: that of the kubectl context.
    pub(super) namespace: Option<&'a str>,
    /// The image.
    pub(super) image: &'a str,
    /// What runs it in the cluster.
    pub(super) executor: &'a str,
    /// How many pods there are.
    pub(super) replicas: u32,
    /// The variables that anyone may read.
    pub(super) plain: BTreeMap<&'a str, &'a str>,
    /// The others.
    pub(super) secret: BTreeMap<&'a str, &'a str>,
    /// The Secret that has [`Application::secret`]; `None`: one is written.
    pub(super) existing_secret: Option<&'a str>,
    /// The runtime configuration, in TOML.
    pub(super) runtime_config: &'a str,
}

/// The resources of an application, each as YAML.
pub(super) struct Resources {
    /// The Secret with the variables, unless there is one already.
    pub(super) variables: Option<String>,
    /// The Secret with the runtime configuration.
    pub(super) runtime_config: String,
    /// The `SpinApp`.
    pub(super) app: String,
}

/// The key under which the operator looks for the runtime configuration.
const RUNTIME_CONFIG_KEY: &str = "runtime-config.toml";

/// What becomes another value with every change of the Secrets, so that the pods are replaced: they read them at their
/// start alone.
const CONFIGURATION_ANNOTATION: &str = "gatehouse/configuration";

/// A document that is written from the configuration alone, without the store or the provider.
const READINESS_PATH: &str = "/.well-known/oauth-protected-resource/mcp";

/// Returns the resources.
///
/// # Errors
///
/// If one cannot be written as YAML.
pub(super) fn resources(application: &Application<'_>) -> Result<Resources> {
    let Application { name, secret, .. } = application;
    let written_secret = format!("{name}-variables");
    let runtime_config_secret = format!("{name}-runtime-config");
    let variables = match application.existing_secret {
        Some(_) => None,
        None => Some(yaml(&Secret::new(application, &written_secret, secret))?),
    };
    let data = BTreeMap::from([(RUNTIME_CONFIG_KEY, application.runtime_config)]);
    let runtime_config = yaml(&Secret::new(application, &runtime_config_secret, &data))?;
    let secret_name = application.existing_secret.unwrap_or(&written_secret);
    let app = yaml(&SpinApp {
        api_version: "core.spinkube.dev/v1alpha1",
        kind: "SpinApp",
        metadata: Metadata::new(application, name),
        spec: SpinAppSpec {
            image: application.image,
            executor: application.executor,
            replicas: application.replicas,
            variables: spin_variables(application, secret_name),
            runtime_config: RuntimeConfig {
                load_from_secret: &runtime_config_secret,
            },
            pod_annotations: BTreeMap::from([(CONFIGURATION_ANNOTATION, fingerprint(application))]),
            checks: HealthChecks {
                readiness: HealthProbe {
                    http_get: HttpGet {
                        path: READINESS_PATH,
                    },
                },
            },
        },
    })?;
    Ok(Resources {
        variables,
        runtime_config,
        app,
    })
}

fn spin_variables<'a>(
    application: &Application<'a>,
    secret_name: &'a str,
) -> Vec<SpinVariable<'a>> {
    let plain = application.plain.iter().map(|(name, value)| SpinVariable {
        name,
        value: Some(value),
        value_from: None,
    });
    let secret = application.secret.keys().map(|name| SpinVariable {
        name,
        value: None,
        value_from: Some(ValueFrom {
            secret_key_ref: SecretKeyRef {
                name: secret_name,
                key: name,
            },
        }),
    });
    plain.chain(secret).collect()
}

/// Returns a digest of what the Secrets hold. The encryption key is among the variables, so no one can find the others by
/// trying values.
fn fingerprint(application: &Application<'_>) -> String {
    let mut digest = Sha256::new();
    let secrets = application.secret.iter();
    let texts = secrets.flat_map(|(name, value)| [*name, *value]);
    for text in texts.chain([application.runtime_config]) {
        digest.update(text.len().to_be_bytes());
        digest.update(text);
    }
    let digest = digest.finalize();
    digest[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Returns a resource as YAML in which every text is quoted: readers of YAML 1.1 take a bare `off` for a boolean.
fn yaml(resource: &impl Serialize) -> Result<String> {
    let options = serde_saphyr::ser_options! { quote_all: true };
    serde_saphyr::to_string_with_options(resource, options).context("a resource is no YAML")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SpinApp<'a> {
    api_version: &'static str,
    kind: &'static str,
    metadata: Metadata<'a>,
    spec: SpinAppSpec<'a>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
}

impl<'a> Metadata<'a> {
    fn new(application: &Application<'a>, name: &'a str) -> Self {
        Self {
            name,
            namespace: application.namespace,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SpinAppSpec<'a> {
    image: &'a str,
    executor: &'a str,
    replicas: u32,
    variables: Vec<SpinVariable<'a>>,
    runtime_config: RuntimeConfig<'a>,
    pod_annotations: BTreeMap<&'static str, String>,
    checks: HealthChecks,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SpinVariable<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_from: Option<ValueFrom<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ValueFrom<'a> {
    secret_key_ref: SecretKeyRef<'a>,
}

#[derive(Serialize)]
struct SecretKeyRef<'a> {
    name: &'a str,
    key: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RuntimeConfig<'a> {
    load_from_secret: &'a str,
}

#[derive(Serialize)]
struct HealthChecks {
    readiness: HealthProbe,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HealthProbe {
    http_get: HttpGet,
}

#[derive(Serialize)]
struct HttpGet {
    path: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Secret<'a> {
    api_version: &'static str,
    kind: &'static str,
    metadata: Metadata<'a>,
    r#type: &'static str,
    data: BTreeMap<&'a str, String>,
}

impl<'a> Secret<'a> {
    fn new(
        application: &Application<'a>,
        name: &'a str,
        data: &BTreeMap<&'a str, &'a str>,
    ) -> Self {
        let data = data.iter();
        let data = data.map(|(name, value)| (*name, BASE64_STANDARD.encode(value)));
        Self {
            api_version: "v1",
            kind: "Secret",
            metadata: Metadata::new(application, name),
            r#type: "Opaque",
            data: data.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn application() -> Application<'static> {
        Application {
            name: "gatehouse",
            namespace: None,
            image: "registry.example.com/gatehouse:0.1.0",
            executor: "containerd-shim-spin",
            replicas: 2,
            plain: BTreeMap::from([
                ("public_url", "https://mcp.example.com"),
                ("registration", "off"),
            ]),
            secret: BTreeMap::from([("admin_token", "token"), ("encryption_key", "key")]),
            existing_secret: None,
            runtime_config: "[key_value_store.default]\ntype = \"redis\"\n",
        }
    }

    fn parsed(yaml: &str) -> Value {
        serde_saphyr::from_str(yaml).unwrap()
    }

    /// The schema of the operator, which refuses unknown fields as `kubectl apply` does.
    fn schema() -> jsonschema::Validator {
        let definition = include_str!("../../../spin-operator/core.spinkube.dev_spinapps.yaml");
        let definition = parsed(definition);
        let version = &definition["spec"]["versions"][0];
        assert_eq!(version["name"], "v1alpha1");
        let mut schema = version["schema"]["openAPIV3Schema"].clone();
        refuse_unknown_fields(&mut schema);
        jsonschema::draft4::new(&schema).unwrap()
    }

    fn refuse_unknown_fields(schema: &mut Value) {
        match schema {
            Value::Object(fields) => {
                if fields.get("properties").is_some_and(Value::is_object)
                    && !fields.contains_key("additionalProperties")
                {
                    fields.insert("additionalProperties".to_owned(), false.into());
                }
                fields.values_mut().for_each(refuse_unknown_fields);
            }
            Value::Array(list) => list.iter_mut().for_each(refuse_unknown_fields),
            _ => {}
        }
    }

    fn faults(app: &Value) -> Vec<String> {
        let schema = schema();
        let errors = schema.iter_errors(app);
        errors
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect()
    }

    #[test]
    fn the_spin_app_is_valid_by_the_schema_of_the_operator() {
        for (namespace, existing_secret) in [(None, None), (Some("tools"), Some("ours"))] {
            let application = Application {
                namespace,
                existing_secret,
                ..application()
            };
            let app = parsed(&resources(&application).unwrap().app);
            assert_eq!(faults(&app), [""; 0]);
        }
    }

    #[test]
    fn the_schema_refuses_what_the_operator_does_not_know() {
        let mut app = parsed(&resources(&application()).unwrap().app);
        app["spec"]["replica"] = json!(2);
        assert_eq!(faults(&app).len(), 1);
        app["spec"].as_object_mut().unwrap().remove("replica");
        app["spec"]["replicas"] = json!("2");
        assert_eq!(faults(&app).len(), 1);
    }

    #[test]
    fn a_spin_app_names_its_secrets_and_holds_none() {
        let resources = resources(&application()).unwrap();
        let app = parsed(&resources.app);
        assert_eq!(
            app["spec"]["variables"],
            json!([
                { "name": "public_url", "value": "https://mcp.example.com" },
                { "name": "registration", "value": "off" },
                {
                    "name": "admin_token",
                    "valueFrom": { "secretKeyRef": { "name": "gatehouse-variables", "key": "admin_token" } },
                },
                {
                    "name": "encryption_key",
                    "valueFrom": { "secretKeyRef": { "name": "gatehouse-variables", "key": "encryption_key" } },
                },
            ])
        );
        assert_eq!(
            parsed(&resources.variables.unwrap()),
            json!({
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": { "name": "gatehouse-variables" },
                "type": "Opaque",
                "data": { "admin_token": "dG9rZW4=", "encryption_key": "a2V5" },
            })
        );
        let runtime_config = parsed(&resources.runtime_config);
        let name = &runtime_config["metadata"]["name"];
        assert_eq!(&app["spec"]["runtimeConfig"]["loadFromSecret"], name);
        let data = runtime_config["data"]["runtime-config.toml"]
            .as_str()
            .unwrap();
        let data = BASE64_STANDARD.decode(data).unwrap();
        assert_eq!(data, application().runtime_config.as_bytes());
    }

    #[test]
    fn secrets_that_are_in_the_cluster_are_not_written() {
        let application = Application {
            existing_secret: Some("ours"),
            ..application()
        };
        let resources = resources(&application).unwrap();
        assert!(resources.variables.is_none());
        let app = parsed(&resources.app);
        let reference = &app["spec"]["variables"][3]["valueFrom"]["secretKeyRef"];
        assert_eq!(
            reference,
            &json!({ "name": "ours", "key": "encryption_key" })
        );
    }

    #[test]
    fn pods_are_replaced_when_their_configuration_changes() {
        let of = |application: &Application<'_>| {
            let app = parsed(&resources(application).unwrap().app);
            let annotation = &app["spec"]["podAnnotations"][CONFIGURATION_ANNOTATION];
            annotation.as_str().unwrap().to_owned()
        };
        let first = of(&application());
        assert_eq!(first, of(&application()));
        let mut changed = application();
        changed.secret.insert("encryption_key", "other");
        assert_ne!(first, of(&changed));
        let changed = Application {
            runtime_config: "",
            ..application()
        };
        assert_ne!(first, of(&changed));
    }

    #[test]
    fn texts_stay_texts_for_readers_of_yaml_1_1() {
        for value in [
            "off",
            "yes",
            "null",
            "~",
            "1_000",
            "0x1f",
            "1e3",
            "12:30:00",
            "2026-11-28",
            "a: b\n'\"\\",
            "",
            " x",
            "= # &",
        ] {
            let mut application = application();
            application.plain.insert("allowed", value);
            let app = resources(&application).unwrap().app;
            assert_eq!(parsed(&app)["spec"]["variables"][0]["value"], value);
            let line = app
                .lines()
                .find(|line| line.trim_start().starts_with("value:"));
            let text = line
                .unwrap()
                .trim_start()
                .trim_start_matches("value:")
                .trim_start();
            assert!(text.starts_with(['"', '\'']), "{text}");
        }
    }
}
