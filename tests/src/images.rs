//! The images of `init` and `pause` without Docker: one archive for all architectures, an OCI image layout, made of the very
//! bytes that ship; and the check that what an image says of itself is true (contract G1, G2).
//!
//! The layers are those that Docker 20.10 makes of the Dockerfile, byte for byte, and not compressed: no compressor's version is in
//! a digest.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::{elf, ship};

/// Names of an architecture: of images, and of the toolchain.
#[derive(Clone, Copy, Debug)]
pub struct Architecture {
    pub name: &'static str,
    pub target: &'static str,
}

/// Those that are built.
pub const ARCHITECTURES: [Architecture; 3] = [
    Architecture { name: "amd64", target: "x86_64-unknown-linux-musl" },
    Architecture { name: "arm64", target: "aarch64-unknown-linux-musl" },
    Architecture { name: "386", target: "i686-unknown-linux-musl" },
];

/// What an image of ours is, whatever the architecture (G1).
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The program, which lies in the root.
    pub program: &'static str,
    entrypoint: &'static [&'static str],
    user: Option<&'static str>,
}

/// To be copied from, or built upon.
pub const INIT: Kind = Kind { program: "init", entrypoint: &["/init", "--"], user: None };

/// Numbers for user and group: there is no /etc/passwd, and a kubelet with runAsNonRoot can check only a number.
pub const PAUSE: Kind = Kind { program: "pause", entrypoint: &["/pause"], user: Some("65535:65535") };

/// What the labels say of the source.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The commit, in full.
    pub revision: Option<String>,
    /// Where the source can be had.
    pub source: Option<String>,
    /// The time stamp of everything, in seconds since 1970 (SOURCE_DATE_EPOCH).
    pub epoch: u64,
}

/// The commit of the checkout, where there is one.
#[must_use]
pub fn revision() -> Option<String> {
    let git = Command::new("git").args(["rev-parse", "HEAD"]).current_dir(ship::root()).output().ok()?;
    git.status.success().then(|| String::from_utf8_lossy(&git.stdout).trim().to_owned())
}

/// The image of one architecture.
#[derive(Clone, Debug)]
pub struct Image {
    pub architecture: String,
    /// What a runtime takes from it: `Entrypoint`, `User`, `Labels` …
    pub config: Value,
    /// The one layer, a tar archive.
    pub layer: Vec<u8>,
}

impl Kind {
    /// The image with this program in it.
    #[must_use]
    pub fn image(&self, architecture: &str, program: &[u8], origin: &Origin) -> Image {
        let labels: BTreeMap<_, _> = [
            ("title", Some(format!("bitts {}", self.program))),
            ("version", Some(env!("CARGO_PKG_VERSION").to_owned())),
            ("revision", origin.revision.clone()),
            ("source", origin.source.clone()),
            ("licenses", Some(env!("CARGO_PKG_LICENSE").to_owned())),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((format!("org.opencontainers.image.{name}"), value?)))
        .collect();
        let mut config = json!({ "Entrypoint": self.entrypoint, "Labels": labels });
        if let Some(user) = self.user {
            config["User"] = user.into();
        }
        let mut layer = tar::Builder::new(Vec::new());
        // With the bits of the file's type, as Docker has them in its layers.
        append(&mut layer, self.program, 0o100_755, origin.epoch, program);
        Image { architecture: architecture.to_owned(), config, layer: layer.into_inner().expect("memory takes all") }
    }

    /// The images of all architectures, of programs built in `folder`.
    #[must_use]
    pub fn built(&self, folder: &Path, origin: &Origin) -> Vec<Image> {
        let image = |architecture: &Architecture| {
            let program = ship::release(self.program, architecture.target, folder);
            let program = std::fs::read(&program).unwrap_or_else(|error| panic!("{}: {error}", program.display()));
            self.image(architecture.name, &program, origin)
        };
        ARCHITECTURES.iter().map(image).collect()
    }
}

/// Adds a file of root's, with the header that Docker 20.10 writes.
fn append(archive: &mut tar::Builder<Vec<u8>>, name: &str, mode: u32, epoch: u64, bytes: &[u8]) {
    let mut header = tar::Header::new_ustar();
    header.set_path(name).expect("a short name");
    header.set_entry_type(tar::EntryType::Regular);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_username("root").expect("a short name");
    header.set_groupname("root").expect("a short name");
    header.set_mtime(epoch);
    header.set_size(bytes.len() as u64);
    header.set_device_major(0).expect("ustar has it");
    header.set_device_minor(0).expect("ustar has it");
    header.set_cksum();
    // POSIX leaves the checksum's form open; this is Go's.
    let sum = header.cksum().expect("it was set");
    header.as_old_mut().cksum.copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    archive.append(&header, bytes).expect("memory takes all");
}

/// The digest by which a blob is known.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const LAYER_IN_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// The files of an OCI image layout, by their paths in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout(BTreeMap<String, Vec<u8>>);

impl Layout {
    /// One name for the images of several architectures: a list of manifests.
    ///
    /// # Panics
    /// Where `epoch` is no year that can be written.
    #[must_use]
    pub fn new(reference: &str, images: &[Image], epoch: u64) -> Layout {
        let mut layout = Layout::default();
        let mut add = |image: &Image| layout.add_image(image, epoch, LAYER, image.layer.clone());
        let manifests: Vec<_> = images.iter().map(&mut add).collect();
        let list = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
        let mut list = layout.add_json(INDEX, &list);
        // Podman and skopeo know an image of an archive by the first, containerd by the second.
        list["annotations"] =
            json!({ "org.opencontainers.image.ref.name": reference, "io.containerd.image.name": reference });
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [list] });
        layout.0.insert("index.json".to_owned(), bytes(&index));
        layout.0.insert("oci-layout".to_owned(), bytes(&json!({ "imageLayoutVersion": "1.0.0" })));
        layout
    }

    /// What a node pulls of one image from a registry: the bytes of its manifest, its configuration, and its layer as
    /// `compress` (gzip) makes it, for so do clients push it.
    ///
    /// # Panics
    /// As [`Layout::new`].
    #[must_use]
    pub fn pulled(image: &Image, epoch: u64, compress: impl FnOnce(&[u8]) -> Vec<u8>) -> usize {
        let mut layout = Layout::default();
        layout.add_image(image, epoch, LAYER_IN_GZIP, compress(&image.layer));
        layout.0.values().map(Vec::len).sum()
    }

    /// Adds one image whose layer is stored as `layer`: the descriptor of its manifest.
    fn add_image(&mut self, image: &Image, epoch: u64, layer_type: &str, layer: Vec<u8>) -> Value {
        let created = i64::try_from(epoch).ok().and_then(|epoch| OffsetDateTime::from_unix_timestamp(epoch).ok());
        let created = created.and_then(|time| time.format(&Rfc3339).ok()).expect("a time stamp that can be written");
        let config = json!({
            "created": created,
            "architecture": image.architecture,
            "os": "linux",
            "config": image.config,
            "rootfs": { "type": "layers", "diff_ids": [digest(&image.layer)] },
            "history": [{ "created": created, "created_by": "cargo images" }],
        });
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.add_json(CONFIG, &config),
            "layers": [self.add(layer_type, layer)],
        });
        let mut manifest = self.add_json(MANIFEST, &manifest);
        manifest["platform"] = json!({ "architecture": image.architecture, "os": "linux" });
        manifest
    }

    /// Adds a blob: its descriptor.
    fn add(&mut self, media_type: &str, blob: Vec<u8>) -> Value {
        let digest = digest(&blob);
        let descriptor = json!({ "mediaType": media_type, "digest": digest, "size": blob.len() });
        self.0.insert(path(&digest), blob);
        descriptor
    }

    fn add_json(&mut self, media_type: &str, value: &Value) -> Value {
        self.add(media_type, bytes(value))
    }

    /// The layout as an archive, for `ctr images import`, `podman load` and `skopeo copy oci-archive:…`.
    #[must_use]
    pub fn archive(&self, epoch: u64) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (path, bytes) in &self.0 {
            append(&mut archive, path, 0o644, epoch, bytes);
        }
        archive.into_inner().expect("memory takes all")
    }

    /// Reads an archive.
    ///
    /// # Errors
    /// It is none.
    pub fn read(archive: impl Read) -> std::io::Result<Layout> {
        let mut layout = Layout::default();
        for file in tar::Archive::new(archive).entries()? {
            let mut file = file?;
            let path = file.path()?.to_string_lossy().into_owned();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            layout.0.insert(path, bytes);
        }
        Ok(layout)
    }

    /// Checks all that the layout says of itself; what it holds, a line an image.
    ///
    /// # Errors
    /// The first thing that is not so.
    pub fn check(&self) -> Result<Vec<String>, String> {
        let index = self.0.get("index.json").ok_or("there is no index.json")?;
        let mut found = Vec::new();
        for list in each(&parse(index)?, "manifests")? {
            let name = list["annotations"]["org.opencontainers.image.ref.name"].as_str().unwrap_or("an image");
            let of_list = |why| format!("{name}: {why}");
            for manifest in each(&self.json(list, INDEX).map_err(of_list)?, "manifests")? {
                let platform = &manifest["platform"];
                let platform = format!("{}/{}", word(platform, "os")?, word(platform, "architecture")?);
                let line = self.check_image(manifest, &platform).map_err(|why| format!("{name}, {platform}: {why}"))?;
                found.push(format!("{name} {platform} {line}"));
            }
        }
        if found.is_empty() { Err("there is no image".to_owned()) } else { Ok(found) }
    }

    /// Checks one image against its platform in the list.
    fn check_image(&self, descriptor: &Value, platform: &str) -> Result<String, String> {
        let manifest = self.json(descriptor, MANIFEST)?;
        let config = self.json(&manifest["config"], CONFIG)?;
        let architecture = word(&config, "architecture")?;
        let said = format!("{}/{architecture}", word(&config, "os")?);
        if said != platform {
            return Err(format!("the configuration says {said}"));
        }
        let [layer] = each(&manifest, "layers")? else { return Err("not one layer".to_owned()) };
        let layer = self.blob(layer, LAYER)?;
        if config["rootfs"]["diff_ids"] != json!([digest(layer)]) {
            return Err("the configuration names another layer".to_owned());
        }

        let broken = |error: std::io::Error| format!("the layer: {error}");
        let mut archive = tar::Archive::new(layer);
        let mut files = archive.entries().map_err(broken)?;
        let mut file = files.next().ok_or("the layer is empty")?.map_err(broken)?;
        let name = file.path().map_err(broken)?.to_string_lossy().into_owned();
        let mode = file.header().mode().map_err(broken)? & 0o7777;
        let owner = (file.header().uid().map_err(broken)?, file.header().gid().map_err(broken)?);
        let mut program = Vec::new();
        file.read_to_end(&mut program).map_err(broken)?;
        if files.next().is_some() || mode != 0o755 || owner != (0, 0) {
            return Err("the layer is not one file of root's with mode 0755".to_owned());
        }
        if config["config"]["Entrypoint"][0] != format!("/{name}") {
            return Err(format!("the entry point is not /{name}"));
        }
        let built_for = elf::architecture(&program).map_err(|why| format!("/{name}: {why}"))?;
        if built_for != architecture {
            return Err(format!("/{name} is built for {built_for}"));
        }
        match elf::faults(&program).first() {
            Some(fault) => Err(format!("/{name}: {fault}")),
            None => Ok(format!("/{name} {} bytes, {}", program.len(), word(descriptor, "digest")?)),
        }
    }

    /// A blob that is as its descriptor says.
    fn blob(&self, descriptor: &Value, media_type: &str) -> Result<&[u8], String> {
        let wanted = word(descriptor, "digest")?;
        let said = word(descriptor, "mediaType")?;
        if said != media_type {
            return Err(format!("{wanted} is {said} instead of {media_type}"));
        }
        let blob = self.0.get(&path(wanted)).ok_or_else(|| format!("{wanted} is missing"))?;
        if digest(blob) != wanted || descriptor["size"] != blob.len() {
            return Err(format!("{wanted} holds other bytes"));
        }
        Ok(blob)
    }

    fn json(&self, descriptor: &Value, media_type: &str) -> Result<Value, String> {
        parse(self.blob(descriptor, media_type)?)
    }
}

/// Where a blob lies.
fn path(digest: &str) -> String {
    format!("blobs/{}", digest.replacen(':', "/", 1))
}

fn bytes(value: &Value) -> Vec<u8> {
    // The keys of a Value are in order, so that the bytes are always the same.
    value.to_string().into_bytes()
}

fn parse(bytes: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

/// A list in a document.
fn each<'a>(value: &'a Value, key: &str) -> Result<&'a [Value], String> {
    value[key].as_array().map(Vec::as_slice).ok_or_else(|| format!("there is no list of {key}"))
}

/// A string in a document.
fn word<'a>(value: &'a Value, key: &str) -> Result<&'a str, String> {
    value[key].as_str().ok_or_else(|| format!("there is no {key}"))
}
