//! `init` and `pause` under a real Docker: as `docker run --init`, as the entry point of an image, and as a pod's first container.
//!
//! Needs root, and `dockerd`, `docker`, `busybox` (static), `setpriv`, `unshare`, `script`, `timeout`, `ldd` and `cc` on PATH;
//! without one of them the tests fail, for who asks for the feature `runtimes` wants them run. No network is used.

#[path = "docker/ends.rs"]
mod ends;
#[path = "docker/imported.rs"]
mod imported;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

use bitts_tests::images::{self, INIT, Origin, PAUSE};
use bitts_tests::procfs::Status;
use bitts_tests::runtimes::docker::{Container, Daemon};
use bitts_tests::runtimes::enclosure::{namespace, wait_for_program, zombies};
use bitts_tests::runtimes::world::{self, Trials};
use bitts_tests::runtimes::{base, client::DEADLINE};
use bitts_tests::{elf, ship};
use libtest_mimic::Trial;

/// The image with busybox.
const BASE: &str = "bitts-base";
/// The images that the Dockerfile makes.
const INIT_IMAGE: &str = "bitts-init";
const PAUSE_IMAGE: &str = "bitts-pause";
/// An image with `init` as its entry point and busybox beside it.
const WITH_INIT: &str = "bitts-with-init";

/// How long a build may take: a first compilation on a busy machine.
const BUILD_DEADLINE: Duration = Duration::from_secs(600);

fn main() -> ExitCode {
    world::run(World::new, trials)
}

/// What all tests share: two daemons, the images in them, and the programs under test.
struct World {
    /// As installed; builds and runs the images of the Dockerfile.
    plain: Daemon,
    /// With our `init` as its `--init-path`.
    with_init: Daemon,
    init: &'static Path,
    pause: &'static Path,
}

impl World {
    /// Starts the daemons and makes the images.
    fn new() -> World {
        let (init, pause) = (ship::init(), ship::pause());
        let init_path = init.to_str().expect("a plain path").to_owned();
        let world = World {
            plain: Daemon::start("plain", &[]),
            with_init: Daemon::start("init", &["--init-path", &init_path]),
            init,
            pause,
        };
        imported::import_base(&world.plain, BASE);
        imported::import_base(&world.with_init, BASE);

        let start = Instant::now();
        imported::import_builder(&world.plain, "bitts-builder");
        let size = world.plain.ok(&["image", "inspect", "--format", "{{.Size}}", "bitts-builder"]);
        println!("builder image: {size} bytes in {:.1} s", start.elapsed().as_secs_f32());

        let start = Instant::now();
        world.build("init", INIT_IMAGE, &[]);
        world.build("pause", PAUSE_IMAGE, &[]);
        println!("images built in {:.1} s", start.elapsed().as_secs_f32());

        let folder = world.plain.folder().join("with-init");
        fs::create_dir(&folder).expect("a folder for a build");
        fs::write(folder.join("Dockerfile"), format!("FROM {INIT_IMAGE}\nCOPY --from={BASE} / /\n"))
            .expect("write a Dockerfile");
        world.plain.ok(&["build", "--tag", WITH_INIT, folder.to_str().expect("a plain path")]);
        world
    }

    /// Builds a target of the Dockerfile from nothing but the checkout and the builder image.
    fn build(&self, target: &str, tag: &str, options: &[&str]) {
        let arguments = [
            "BUILDER=bitts-builder".to_owned(),
            format!("REVISION={}", origin().revision.unwrap_or_default()),
            format!("SOURCE={}", origin().source.unwrap_or_default()),
        ];
        let mut words = vec!["build", "--network", "none", "--target", target, "--tag", tag];
        words.extend(options);
        words.extend(arguments.iter().flat_map(|argument| ["--build-arg", argument]));
        let root = ship::root();
        words.push(root.to_str().expect("a plain path"));
        self.plain.ok_within(BUILD_DEADLINE, &words);
    }

    /// All that lies in the layers of an image, folders included.
    fn files(&self, image: &str) -> Vec<LayerFile> {
        let saved = self.plain.folder().join(format!("{image}.tar"));
        self.plain.ok(&["save", "--output", saved.to_str().expect("a plain path"), image]);
        layers(&saved)
    }

    /// Runs the pause image, and returns when `pause` itself runs.
    fn run_pause(&self, name: &str, options: &[&str]) {
        let words = [&["run", "--detach", "--name", name, "--network", "none"], options, &[PAUSE_IMAGE]].concat();
        self.plain.ok(&words);
        wait_for_program(&self.plain.proc(name), &fs::read(self.pause).expect("read the program under test"));
        let status = fs::read_to_string(self.plain.proc(name).join("status")).expect("read its status");
        assert!(
            status.contains("Uid:\t65535\t65535\t65535\t65535") && status.contains("Gid:\t65535\t65535"),
            "{status}"
        );
    }
}

/// What the labels of the images say.
fn origin() -> Origin {
    Origin { revision: images::revision(), source: Some("https://example.org/bitts".to_owned()), epoch: 0 }
}

/// All tests.
fn trials(world: &Trials<World>) -> Vec<Trial> {
    let trial = |name: &str, test: fn(&World)| world.trial(name, test);
    let mut trials = vec![
        trial("g1_init_image_is_one_file", |world| image_is_one_file(world, "init", INIT_IMAGE, world.init)),
        trial("g1_pause_image_is_one_file", |world| image_is_one_file(world, "pause", PAUSE_IMAGE, world.pause)),
        trial("g1_dockerfile_and_cargo_images_give_the_same", dockerfile_and_cargo_images_give_the_same),
        trial("g2_a_second_build_gives_the_same_layers", second_build_gives_the_same_layers),
        trial("i3_docker_info_shows_the_version", docker_info_shows_the_version),
        trial("i16_a_terminal_has_job_control", terminal_has_job_control),
        trial("i15_docker_s_own_init_leaves_a_stopped_child", ends::docker_s_own_init_leaves_a_stopped_child),
        trial("i14_a_worker_has_its_time", ends::a_worker_has_its_time),
        trial("i14_what_docker_exec_has_started_has_its_time", ends::what_docker_exec_has_started_has_its_time),
        trial("i2_a_child_that_ignores_term_is_killed_in_time", ends::a_child_that_ignores_term_is_killed_in_time),
        trial("i2_a_signal_that_is_not_caught_is_not_forwarded", ends::a_signal_that_is_not_caught_is_not_forwarded),
        trial("i16_keys_reach_a_program_at_the_terminal", ends::keys_reach_a_program_at_the_terminal),
        trial("i16_a_terminal_s_ends_are_the_program_s", ends::a_terminal_s_ends_are_the_program_s),
        trial("p1_pause_ends_by_docker_stop", pause_ends_by_docker_stop),
        trial("g3_pause_holds_the_namespaces_of_a_pod", pause_holds_the_namespaces_of_a_pod),
    ];
    for (way, of) in [("as_init_option", by_init_option as fn(&World) -> Way<'_>), ("as_entrypoint", by_entrypoint)] {
        let trial = |name: &str, test: fn(&Way)| world.trial(&format!("{way}::{name}"), move |world| test(&of(world)));
        trials.extend([
            trial("i18_exit_statuses_arrive", exit_statuses_arrive),
            trial("i10_exec_failures_have_their_statuses", exec_failures_have_their_statuses),
            trial("i18_deaths_by_signal_arrive", deaths_by_signal_arrive),
            trial("i12_docker_kill_reaches_the_child", docker_kill_reaches_the_child),
            trial("i12_docker_stop_is_a_sigterm", docker_stop_is_a_sigterm),
            trial("i15_docker_stop_ends_a_stopped_child", ends::docker_stop_ends_a_stopped_child),
            trial("b3_the_first_process_is_init", first_process_is_init),
        ]);
    }
    trials
}

/// A way to have `init` in a container.
struct Way<'a> {
    name: &'static str,
    daemon: &'a Daemon,
    /// The options of `docker run`, and the image.
    options: &'static [&'static str],
    init: &'a Path,
}

impl<'a> Way<'a> {
    /// A container that runs `command` under `init`.
    fn run(&self, name: &str, command: &[&str]) -> Container<'a> {
        self.daemon.run(&format!("{}-{name}", self.name), &[self.options, command].concat())
    }

    /// The same with a script for sh.
    fn script(&self, name: &str, script: &str) -> Container<'a> {
        self.run(name, &["/bin/sh", "-c", script])
    }
}

/// The daemon's own `--init`.
fn by_init_option(world: &World) -> Way<'_> {
    Way { name: "option", daemon: &world.with_init, options: &["--init", BASE], init: world.init }
}

/// `ENTRYPOINT ["/init","--"]` of the image, with as little as a container can be given (B3).
fn by_entrypoint(world: &World) -> Way<'_> {
    const OPTIONS: &[&str] =
        &["--user", "1000:1000", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", WITH_INIT];
    Way { name: "entrypoint", daemon: &world.plain, options: OPTIONS, init: world.init }
}

fn exit_statuses_arrive(way: &Way) {
    for status in [0, 1, 44, 255] {
        assert_eq!(way.script(&format!("exit-{status}"), &format!("exit {status}")).end(), (status, String::new()));
    }
}

fn exec_failures_have_their_statuses(way: &Way) {
    for (program, status) in [("/no-such-program", 127), ("/bin", 126), (base::NOT_A_PROGRAM, 126)] {
        let (ended, said) = way.run(&format!("exec{}", program.replace('/', "-")), &[program]).end();
        assert_eq!(ended, status, "{said}");
        // Docker has the same statuses for what it cannot start itself: then `init` was not even run.
        assert!(!said.contains("docker:") && said.contains(program), "{said}");
    }
}

/// Not QUIT, which the shell ignores.
fn deaths_by_signal_arrive(way: &Way) {
    for signal in [1, 2, 6, 9, 11, 15, 34, 40, 64] {
        let (status, said) = way.script(&format!("death-{signal}"), &format!("kill -{signal} $$; sleep 60")).end();
        assert_eq!(status, 128 + signal, "{said}");
    }
}

/// Prints `ready`, then the name of each signal that comes; TERM ends it with 7.
const TRAPS: &str =
    "for signal in HUP USR1 ABRT 37; do trap \"echo took $signal\" $signal; done; trap 'echo took TERM; exit 7' TERM
    echo ready; while :; do sleep 600 & wait $!; done";

fn docker_kill_reaches_the_child(way: &Way) {
    let mut container = way.script("kill", TRAPS);
    container.expect("ready");
    // 37 is RTMIN+3 as Docker counts, from 34; musl's SIGRTMIN is 35.
    for (asked, taken) in [("HUP", "HUP"), ("USR1", "USR1"), ("ABRT", "ABRT"), ("RTMIN+3", "37"), ("HUP", "HUP")] {
        way.daemon.ok(&["kill", "--signal", asked, &container.name]);
        container.expect(&format!("took {taken}\n"));
    }
    way.daemon.ok(&["kill", "--signal", "TERM", &container.name]);
    container.expect("took TERM\n");
    assert_eq!(container.end().0, 7);
}

fn docker_stop_is_a_sigterm(way: &Way) {
    let mut container = way.script("stop", TRAPS);
    container.expect("ready");
    let start = Instant::now();
    // Docker kills after this time: long, so that a status other than 137 shows that no KILL was needed.
    way.daemon.ok(&["stop", "-t", "30", &container.name]);
    let taken = start.elapsed();
    container.expect("took TERM\n");
    assert_eq!(container.end().0, 7);
    println!("docker stop, {}: {:.2} s", way.name, taken.as_secs_f32());

    // A program that as PID 1 would not have ended by TERM at all.
    let mut container = way.script("stop-default", "echo ready; sleep 600; :");
    container.expect("ready");
    way.daemon.ok(&["stop", "-t", "30", &container.name]);
    assert_eq!(container.end().0, 128 + 15);
}

fn first_process_is_init(way: &Way) {
    let mut container = way.script("first", "echo ready; sleep 600; :");
    container.expect("ready");
    let first = way.daemon.proc(&container.name);
    assert!(
        fs::read(first.join("exe")).expect("read the first process's program")
            == fs::read(way.init).expect("read init")
    );
    if way.name == "entrypoint" {
        let status = fs::read_to_string(first.join("status")).expect("read its status");
        for line in ["Uid:\t1000\t1000\t1000\t1000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1"] {
            assert!(status.contains(line), "{line}\n{status}");
        }
    }
}

fn docker_info_shows_the_version(world: &World) {
    let version = Command::new(world.init).arg("--version").output().expect("run init --version");
    let version = String::from_utf8(version.stdout).expect("UTF-8");
    let (_, hash) = version.trim().split_once(" - git.").expect("a version line with a commit");
    let shown = world.with_init.ok(&["info", "--format", "{{.InitBinary}} {{.InitCommit.ID}}"]);
    // dockerd shows of the hash what it would compare with the one that it expects.
    let (binary, id) = shown.split_once(' ').expect("two words");
    assert_eq!(Path::new(binary), world.init);
    assert!(!id.is_empty() && hash.starts_with(id), "{id:?} of {version:?}");
}

fn terminal_has_job_control(world: &World) {
    let mut shell = world.with_init.run_on_terminal("terminal", &format!("--init {BASE} sh -i"));
    // What is typed is echoed, so that only what the shell has worked out itself counts.
    shell.write("PS1='prompt''> '\n");
    shell.expect("prompt> ");
    // The job says when it is there, for a ^Z that comes before would go to the shell, which ignores it.
    shell.write("sh -c 'echo job$((1+1)); read word; echo got$word'\n");
    shell.expect("job2");
    shell.write("\u{1a}");
    shell.expect("Stopped");
    shell.expect("prompt> ");
    // What is typed now goes to the job once it has the terminal again.
    shell.write("fg\n");
    shell.expect("sh -c");
    shell.write("7\n");
    shell.expect("got7");
    shell.expect("prompt> ");
    shell.write("exit 5\n");
    let (status, said) = shell.end();
    assert_eq!(status, 5, "{said}");
}

/// Configuration and layer are those of the images that `cargo images` makes, whose tests say what they are.
fn dockerfile_and_cargo_images_give_the_same(world: &World) {
    for (image, kind) in [(INIT_IMAGE, INIT), (PAUSE_IMAGE, PAUSE)] {
        let shown = world.plain.ok(&["image", "inspect", "--format", "{{json .}}", image]);
        let shown: serde_json::Value = serde_json::from_str(&shown).expect("what docker inspect prints");
        let program =
            fs::read(ship::release(kind.program, &ship::target(), &ship::target_folder())).expect("a program");
        let architecture = elf::architecture(&program).expect("a program");
        assert_eq!((&shown["Os"], &shown["Architecture"]), (&"linux".into(), &architecture.into()));
        let ours = kind.image(architecture, &program, &origin());
        for key in ["Entrypoint", "Labels"] {
            assert_eq!(shown["Config"][key], ours.config[key], "{key} of {image}");
        }
        // Docker may have an empty one where ours has none.
        let user = |config: &serde_json::Value| config["User"].as_str().unwrap_or_default().to_owned();
        assert_eq!(user(&shown["Config"]), user(&ours.config), "User of {image}");
        assert!(shown["Config"]["Cmd"].is_null());
        let theirs = world.files(image);
        assert!(theirs == layer_files(&ours.layer), "the layer of {image} has other files");
        // How a layer names root is the builder's affair, and no two generations of Docker agree.
        if world.plain.ok(&["version", "--format", "{{.Server.Version}}"]).starts_with("20.10.") {
            assert_eq!(shown["RootFS"]["Layers"], serde_json::json!([images::digest(&ours.layer)]), "layer of {image}");
        }
    }
}

fn image_is_one_file(world: &World, name: &str, image: &str, program: &Path) {
    let files = world.files(image);
    assert_eq!(files.iter().map(|file| (file.name.as_str(), file.mode)).collect::<Vec<_>>(), [(name, 0o755)]);
    assert!(
        files[0].bytes == fs::read(program).expect("read the program"),
        "the image's {name} differs from {}",
        program.display()
    );
}

/// A file in an image.
#[derive(PartialEq, Eq)]
struct LayerFile {
    name: String,
    mode: u32,
    owner: (u64, u64),
    modified: u64,
    bytes: Vec<u8>,
}

/// The files in the layers of a saved image.
fn layers(saved: &Path) -> Vec<LayerFile> {
    let mut parts: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for part in
        tar::Archive::new(fs::File::open(saved).expect("open a saved image")).entries().expect("read a saved image")
    {
        let mut part = part.expect("read a saved image");
        let mut bytes = Vec::new();
        part.read_to_end(&mut bytes).expect("read a saved image");
        parts.insert(part.path().expect("a name").to_string_lossy().into_owned(), bytes);
    }
    let manifest: serde_json::Value = serde_json::from_slice(&parts["manifest.json"]).expect("the manifest");
    let layers = manifest[0]["Layers"].as_array().expect("the manifest lists layers");
    layers.iter().flat_map(|layer| layer_files(&parts[layer.as_str().expect("a layer has a name")])).collect()
}

/// The files in a layer.
fn layer_files(layer: &[u8]) -> Vec<LayerFile> {
    let mut files = Vec::new();
    for file in tar::Archive::new(layer).entries().expect("read a layer") {
        let mut file = file.expect("read a layer");
        let name = file.path().expect("a name").to_string_lossy().into_owned();
        let header = file.header();
        let mode = header.mode().expect("a mode") & 0o7777;
        let owner = (header.uid().expect("an owner"), header.gid().expect("a group"));
        let modified = header.mtime().expect("a time");
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).expect("read a layer");
        files.push(LayerFile { name, mode, owner, modified, bytes });
    }
    files
}

fn second_build_gives_the_same_layers(world: &World) {
    for (target, image) in [("init", INIT_IMAGE), ("pause", PAUSE_IMAGE)] {
        let again = format!("{image}-again");
        world.build(target, &again, &["--no-cache"]);
        let layers = |image: &str| world.plain.ok(&["image", "inspect", "--format", "{{json .RootFS.Layers}}", image]);
        assert_eq!(layers(&again), layers(image));
    }
}

fn pause_ends_by_docker_stop(world: &World) {
    for (name, signal, message) in [
        ("pause-term", "TERM", "Shutting down, got signal: Terminated\n"),
        ("pause-int", "INT", "Shutting down, got signal: Interrupt\n"),
    ] {
        world.run_pause(name, &["--stop-signal", signal, "--read-only", "--cap-drop", "ALL"]);
        let start = Instant::now();
        world.plain.ok(&["stop", "-t", "30", name]);
        println!("docker stop, pause: {:.2} s", start.elapsed().as_secs_f32());
        assert_eq!(world.plain.ok(&["inspect", "--format", "{{.State.ExitCode}}", name]), "0");
        // All that it ever said: it was PID 1, so there was nothing to warn of.
        let logs = world.plain.docker(&["logs", name]);
        assert_eq!((logs.stdout.as_str(), logs.stderr.as_str()), ("", message));
    }
}

/// A container that shares all namespaces that Docker can share with `pause`.
fn member(world: &World, name: &str, script: &str) -> PathBuf {
    const JOIN: [&str; 6] = ["--network", "container:pod", "--ipc", "container:pod", "--pid", "container:pod"];
    let words = [&["run", "--detach", "--name", name][..], &JOIN, &[BASE, "sh", "-c", script]].concat();
    world.plain.ok(&words);
    world.plain.proc(name)
}

/// Waits until a container has written a line.
fn wait_for_line(world: &World, container: &str, line: &str) {
    let start = Instant::now();
    while !world.plain.docker(&["logs", container]).stdout.lines().any(|said| said == line) {
        assert!(start.elapsed() < DEADLINE, "{container} did not say {line}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn pause_holds_the_namespaces_of_a_pod(world: &World) {
    world.run_pause("pod", &["--ipc", "shareable", "--hostname", "held"]);
    let pause = world.plain.proc("pod");
    let held = ["ipc", "net", "pid"].map(|kind| namespace(&pause, kind));
    assert_ne!(held[1], namespace(Path::new("/proc/self"), "net"));
    let switches = || Status::of(&pause).expect("pause is alive").context_switches();
    let before = switches();

    // The first leaves shared memory, a message queue and orphans, and is killed; the second finds what is left.
    let script = format!("touch /dev/shm/memory /dev/mqueue/queue; {}; exec sleep 600", base::orphans(2_000));
    let first = member(world, "pod-first", &script);
    assert_eq!(["ipc", "net", "pid"].map(|kind| namespace(&first, kind)), held);
    wait_for_line(world, "pod-first", "ready");
    world.plain.ok(&["kill", "pod-first"]);
    assert_eq!(world.plain.ok(&["wait", "pod-first"]), "137");
    let start = Instant::now();
    while zombies(&pause) > 0 {
        assert!(start.elapsed() < DEADLINE, "zombies stay: {}", zombies(&pause));
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(switches(), before, "the orphans woke pause");

    let second = member(world, "pod-second", "ls /dev/shm /dev/mqueue; exec sleep 600");
    assert_eq!(["ipc", "net", "pid"].map(|kind| namespace(&second, kind)), held);
    for left in ["memory", "queue"] {
        wait_for_line(world, "pod-second", left);
    }

    // The end of the first process ends all others of its PID namespace.
    world.plain.ok(&["stop", "-t", "30", "pod"]);
    assert_eq!(world.plain.ok(&["inspect", "--format", "{{.State.ExitCode}}", "pod"]), "0");
    assert_eq!(world.plain.ok(&["wait", "pod-second"]), "137");
}
