//! The images as `cargo images` makes them: the same bytes each time, and a check that finds what is not so.

use std::collections::BTreeSet;

use bitts_tests::images::{ARCHITECTURES, INIT, Image, Kind, Layout, Origin, PAUSE, digest};
use bitts_tests::ship;
use serde_json::{Value, json};

/// What the labels of the images here say.
fn origin() -> Origin {
    Origin { revision: Some("0123abc".to_owned()), source: Some("https://example.org/bitts".to_owned()), epoch: 0 }
}

/// The images of pause as they ship.
fn pause() -> Vec<Image> {
    PAUSE.built(&ship::target_folder(), &origin())
}

/// The archive of a layout, after the way there and back.
fn archive(layout: &Layout) -> Vec<u8> {
    let bytes = layout.archive(0);
    assert_eq!(&Layout::read(bytes.as_slice()).expect("an archive"), layout);
    bytes
}

#[test]
fn g2_a_second_build_gives_the_same_archives() {
    let again = tempfile::tempdir().expect("a folder");
    for kind in [INIT, PAUSE] {
        let of = |folder| archive(&Layout::new("localhost/image:1", &kind.built(folder, &origin()), 0));
        let (first, second) = (of(&ship::target_folder()), of(again.path()));
        assert!(first == second, "{}: a build in another folder gives another archive", kind.program);
        assert_eq!(digest(&first), digest(&second));
    }
}

/// What a runtime is told, for each architecture: the manifest's platform, the configuration, the program in the layer.
#[test]
fn g1_g2_an_archive_has_the_right_program_for_each_architecture() {
    for (kind, entrypoint, user) in
        [(INIT, json!(["/init", "--"]), Value::Null), (PAUSE, json!(["/pause"]), json!("65535:65535"))]
    {
        let images = kind.built(&ship::target_folder(), &origin());
        for (image, architecture) in images.iter().zip(ARCHITECTURES) {
            assert_eq!(image.architecture, architecture.name);
            assert_eq!((&image.config["Entrypoint"], &image.config["User"]), (&entrypoint, &user));
            let labels = image.config["Labels"].as_object().expect("labels");
            let labels: Vec<_> = labels.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
            let title = format!("bitts {}", kind.program);
            assert_eq!(
                labels,
                [
                    ("org.opencontainers.image.licenses", "MIT OR Apache-2.0"),
                    ("org.opencontainers.image.revision", "0123abc"),
                    ("org.opencontainers.image.source", "https://example.org/bitts"),
                    ("org.opencontainers.image.title", &title),
                    ("org.opencontainers.image.version", env!("CARGO_PKG_VERSION")),
                ]
            );
        }
        let found = Layout::new("localhost/image:1", &images, 0).check().expect("nothing to find");
        let platforms: Vec<_> = found.iter().filter_map(|line| line.split(' ').nth(1)).collect();
        assert_eq!(platforms, ["linux/amd64", "linux/arm64", "linux/386"]);
    }
    // The program of this machine's architecture is the one that all other tests have run.
    let own = ARCHITECTURES.iter().position(|architecture| architecture.target == ship::target()).expect("it is built");
    let shipped = std::fs::read(ship::release("pause", &ship::target(), &ship::target_folder())).expect("pause");
    assert_eq!(pause()[own].layer, PAUSE.image("any", &shipped, &origin()).layer);
}

#[test]
fn g2_a_wrong_architecture_is_refused() {
    let images = pause();
    for (right, image) in ARCHITECTURES.iter().zip(&images) {
        for wrong in ARCHITECTURES.iter().map(|architecture| architecture.name).chain(["riscv64", "x86_64", ""]) {
            let relabelled = Image { architecture: wrong.to_owned(), ..image.clone() };
            let checked = Layout::new("localhost/image:1", &[relabelled], 0).check();
            if wrong == right.name {
                assert_eq!(checked.map(|found| found.len()), Ok(1));
            } else {
                let why = checked.expect_err(wrong);
                let built_for = format!("localhost/image:1, linux/{wrong}: /pause is built for {}", right.name);
                assert_eq!(why, built_for);
            }
        }
    }
}

/// Changes one text in the archive wherever it stands, digests left as they are.
fn changed(layout: &Layout, from: &str, to: &str) -> Result<Vec<String>, String> {
    assert_eq!(from.len(), to.len());
    let mut bytes = layout.archive(0);
    let places: Vec<_> = bytes.windows(from.len()).enumerate().filter(|(_, here)| *here == from.as_bytes()).collect();
    let places: Vec<_> = places.into_iter().map(|(at, _)| at).collect();
    assert!(!places.is_empty(), "{from}");
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    Layout::read(bytes.as_slice()).expect("an archive").check()
}

#[test]
fn g2_what_is_not_as_it_says_is_refused() {
    let images = pause();
    let layout = Layout::new("localhost/image:1", &images, 0);
    let refused = |why: Result<_, String>, part: &str| {
        let why = why.expect_err(part);
        assert!(why.contains(part), "{why:?} does not say {part:?}");
    };
    refused(changed(&layout, "/pause", "/pausf"), "holds other bytes");
    refused(changed(&layout, "65535:65535", "00000:00000"), "holds other bytes");
    refused(changed(&layout, "image.index.v1", "image.inbex.v1"), "instead of application/vnd.oci.image.index.v1+json");
    refused(changed(&layout, "manifests", "manifesto"), "no list of manifests");

    let with = |change: &dyn Fn(&mut Image)| {
        let mut image = images[0].clone();
        change(&mut image);
        Layout::new("localhost/image:1", &[image], 0).check()
    };
    refused(with(&|image| image.config["Entrypoint"] = json!(["/init"])), "the entry point is not /pause");
    refused(with(&|image| image.layer = vec![0; 1024]), "the layer is empty");
    let text = PAUSE.image("amd64", b"#!/bin/sh\n", &origin());
    refused(with(&|image| image.layer = text.layer.clone()), "/pause: no ELF file");
    // A program that needs a library that the image has not got.
    let shared = std::fs::read(std::env::current_exe().expect("own path")).expect("own bytes");
    let shared = PAUSE.image("amd64", &shared, &origin());
    refused(with(&|image| image.layer = shared.layer.clone()), "/pause: it has an interpreter");
    refused(Layout::new("localhost/image:1", &[], 0).check(), "no image");
    refused(Layout::default().check(), "no index.json");
}

/// The time stamp is the one that is asked for, in the documents and in the layer.
#[test]
fn g2_the_time_stamp_is_source_date_epoch() {
    let at = |epoch| {
        let origin = Origin { epoch, ..origin() };
        let kind: Kind = PAUSE;
        Layout::new("localhost/image:1", &kind.built(&ship::target_folder(), &origin), epoch).archive(epoch)
    };
    let (early, late) = (at(0), at(1_700_000_000));
    let contains = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|here| here == text.as_bytes());
    assert!(contains(&early, r#""created":"1970-01-01T00:00:00Z""#) && !contains(&early, "2023-11-14"));
    assert!(contains(&late, r#""created":"2023-11-14T22:13:20Z""#) && !contains(&late, "1970-01-01"));
    let times = |bytes: &[u8]| -> Vec<u64> {
        let mut archive = tar::Archive::new(bytes);
        archive.entries().unwrap().map(|file| file.unwrap().header().mtime().unwrap()).collect()
    };
    assert!(times(&late).iter().all(|time| *time == 1_700_000_000) && !times(&late).is_empty());
}

/// The toolchain's targets, and what the Dockerfile builds, are the same architectures.
#[test]
fn g2_every_list_of_architectures_is_the_same() {
    let text = |name| std::fs::read_to_string(ship::root().join(name)).expect(name);
    let toolchain = text("rust-toolchain.toml");
    let (_, targets) = toolchain.split_once("targets = [").expect("targets");
    let targets: Vec<_> = targets.split(']').next().unwrap_or_default().split(['"', ',', ' ']).collect();
    let targets: BTreeSet<_> = targets.into_iter().filter(|word| !word.is_empty()).collect();
    assert_eq!(targets, ARCHITECTURES.iter().map(|architecture| architecture.target).collect());
    // Lines such as: arm64 | aarch64) target=aarch64-unknown-linux-musl ;;
    let dockerfile = text("Dockerfile");
    let cases = dockerfile.lines().filter_map(|line| line.trim().strip_suffix(" ;; \\")?.split_once(") target="));
    let cases: BTreeSet<_> =
        cases.map(|(names, target)| (names.split(' ').next().unwrap_or_default(), target)).collect();
    assert_eq!(cases, ARCHITECTURES.iter().map(|architecture| (architecture.name, architecture.target)).collect());
}
