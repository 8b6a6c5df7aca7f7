//! What a kubelet has on a node: a containerd of the tests' own, driven by CRI.

use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bitts_tests::runtimes::client::{DEADLINE, Follower, finish};
use bitts_tests::runtimes::enclosure::{Enclosure, Ground};
use bitts_tests::ship;
use prost::Message;
use tokio::runtime::Runtime;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic_prost::ProstCodec;

use crate::api::*;

/// containerd in an enclosure, and a connection to it.
pub struct Node {
    enclosure: Enclosure,
    runtime: Runtime,
    channel: Channel,
    /// Numbers for pods, so that their names differ.
    next: AtomicU32,
}

/// Where the plugins of networks may lie.
const CNI: [&str; 2] = ["/usr/lib/cni", "/opt/cni/bin"];

/// Where a registry of the enclosure is: containerd asks the machine's own without TLS.
pub const REGISTRY: &str = "127.0.0.1:5000";

/// Addresses for documentation (RFC 5737), in a network namespace that nothing leaves.
const SUBNET: &str = "192.0.2.0/24";

impl Node {
    /// Starts containerd with this `sandbox_image`, the name of an archive's image, and returns when it answers and has it. To be
    /// called by the main thread.
    pub fn start(name: &str, sandbox_image: &str, archives: &[(&str, Vec<u8>)]) -> Node {
        let ground = Ground::new(&format!("cri-{name}"));
        let at = |name: &str| ground.at(name);
        let plugins = CNI.iter().find(|folder| PathBuf::from(folder).join("ptp").exists());
        let plugins = plugins.unwrap_or_else(|| panic!("no CNI plugins in {CNI:?}"));
        let configuration = format!(
            r#"version = 2
root = {root:?}
state = {state:?}
# Of Debian's plugins only those that CRI needs.
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
address = {socket:?}
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = {sandbox_image:?}
# A machine may have no right to lower it.
restrict_oom_score_adj = true
disable_apparmor = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = {plugins:?}
conf_dir = {cni:?}
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
"#,
            root = at("root"),
            state = at("state"),
            socket = at("socket"),
            cni = at("cni"),
        );
        let network = serde_json::json!({
            "cniVersion": "0.4.0",
            "name": "pods",
            "plugins": [{
                "type": "ptp",
                "ipam": { "type": "host-local", "subnet": SUBNET, "dataDir": at("addresses") },
            }],
        });
        fs::write(at("config.toml"), configuration).expect("write a configuration");
        fs::create_dir(at("cni")).expect("make a folder");
        fs::write(at("cni/pods.conflist"), network.to_string()).expect("write a configuration");

        // What the shims leave is reaped.
        let init = ship::init().to_str().expect("a plain path");
        let endpoint = Endpoint::from_shared(format!("unix://{}", at("socket"))).expect("an address");
        let config = at("config.toml");
        let enclosure = ground.enclose(&[init, "--", "containerd", "--config", &config]);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let channel = {
            let _inside = runtime.enter();
            endpoint.connect_lazy()
        };
        let mut node = Node { enclosure, runtime, channel, next: AtomicU32::new(0) };
        let (runtime, channel) = (&node.runtime, &node.channel);
        node.enclosure.wait_for(|| {
            runtime.block_on(unary::<_, VersionResponse>(channel, "RuntimeService/Version", Nothing {})).is_ok()
        });
        for (image, archive) in archives {
            node.import(image, archive);
        }
        node
    }

    /// `ctr images import`, and waits until CRI knows of it.
    fn import(&self, image: &str, archive: &[u8]) {
        let path = self.enclosure.ground.at("archive");
        fs::write(&path, archive).expect("write an archive");
        self.ctr(&["images", "import", &path]);
        let wanted = ImageRequest { image: Some(ImageSpec { image: image.to_owned() }) };
        let start = Instant::now();
        while self.call::<_, ImageStatusResponse>("ImageService/ImageStatus", wanted.clone()).image.is_none() {
            assert!(start.elapsed() < DEADLINE, "containerd does not know {image}\n{}", self.enclosure.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// `ctr WORDS…` in the namespace of CRI, which must succeed: its output.
    pub fn ctr(&self, words: &[&str]) -> String {
        let mut ctr = self.enclosure.inside(DEADLINE);
        ctr.args(["ctr", "--address", &self.enclosure.ground.at("socket"), "--namespace", "k8s.io"]).args(words);
        let finished = finish(&mut ctr, DEADLINE);
        assert_eq!(finished.status, 0, "ctr {words:?}\n{}{}", finished.stdout, finished.stderr);
        finished.stdout
    }

    /// Serves images from a registry in the enclosure, with this archive's as `NAME` in it; to end it, drop what is returned. There
    /// is room for one at a time.
    pub fn registry(&self, name: &str, archive: &[u8]) -> Follower {
        let at = |name: &str| self.enclosure.ground.at(name);
        let configuration = serde_json::json!({
            "version": 0.1,
            "storage": { "filesystem": { "rootdirectory": at("registry") } },
            "http": { "addr": REGISTRY },
        });
        // JSON is YAML.
        fs::write(at("registry.yml"), configuration.to_string()).expect("write a configuration");
        fs::write(at("pushed"), archive).expect("write an archive");
        let mut serve = self.enclosure.inside(5 * DEADLINE);
        let mut registry = Follower::start("registry", serve.args(["docker-registry", "serve", &at("registry.yml")]));
        registry.expect("listening on");
        let (from, to) = (format!("oci-archive:{}", at("pushed")), format!("docker://{REGISTRY}/{name}"));
        let mut push = self.enclosure.inside(DEADLINE);
        push.args(["skopeo", "--insecure-policy", "copy", "--all", "--dest-tls-verify=false", &from, &to]);
        let finished = finish(&mut push, DEADLINE);
        assert_eq!(finished.status, 0, "{}{}", finished.stdout, finished.stderr);
        registry
    }

    /// PullImage.
    pub fn pull(&self, image: &str) {
        let _: Id =
            self.call("ImageService/PullImage", ImageRequest { image: Some(ImageSpec { image: image.to_owned() }) });
    }

    /// One call of CRI, which must succeed.
    pub fn call<Request, Response>(&self, method: &'static str, request: Request) -> Response
    where
        Request: Message + Clone + Debug + 'static,
        Response: Message + Default + 'static,
    {
        let answer = self.runtime.block_on(unary(&self.channel, method, request.clone()));
        answer.unwrap_or_else(|why| panic!("{method} {request:?}: {why}\n{}", self.enclosure.log()))
    }

    pub fn version(&self) -> String {
        let version: VersionResponse = self.call("RuntimeService/Version", Nothing {});
        format!("{} {}", version.runtime_name, version.runtime_version)
    }

    /// RunPodSandbox: a pod whose containers have PID namespaces as `pid` says, as the image's user or another.
    pub fn pod(&self, pid: Mode, user: Option<(i64, i64)>) -> Pod<'_> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let name = format!("pod-{number}");
        let logs = self.enclosure.ground.at(&name);
        fs::create_dir(&logs).expect("make a folder");
        let value = |value| Some(Int64Value { value });
        let context = LinuxSandboxSecurityContext {
            namespace_options: Some(NamespaceOption { pid: pid as i32 }),
            run_as_user: user.and_then(|(user, _)| value(user)),
            run_as_group: user.and_then(|(_, group)| value(group)),
            // As a kubelet has it for every sandbox.
            seccomp: Some(SecurityProfile {}),
        };
        let config = PodSandboxConfig {
            metadata: Some(PodSandboxMetadata { name: name.clone(), uid: name.clone(), namespace: "tests".to_owned() }),
            hostname: format!("host-{number}"),
            log_directory: logs,
            // Else the machine's resolv.conf is copied, which may be a link to what is hidden in here.
            dns_config: Some(DnsConfig { servers: vec!["127.0.0.1".to_owned()] }),
            linux: Some(LinuxPodSandboxConfig {
                cgroup_parent: self.enclosure.ground.cgroup(),
                security_context: Some(context),
            }),
        };
        let made: Id = self.call("RuntimeService/RunPodSandbox", RunPodSandboxRequest { config: Some(config.clone()) });
        Pod { node: self, id: made.id, config, pid }
    }

    /// Whether a network namespace is held by a mount, as containerd holds those of its pods.
    pub fn pins(&self, network: &Path) -> bool {
        // Mounts such as: 99 98 0:4 net:[4026532001] /run/netns/cni-… rw - nsfs nsfs rw
        let mounts = fs::read_to_string(self.enclosure.proc("1").join("mountinfo")).expect("the mounts of containerd");
        mounts.lines().any(|line| line.split(' ').nth(3).is_some_and(|root| Path::new(root) == network))
    }

    /// `/proc/PID` of what a verbose status is about.
    fn proc(&self, info: &str) -> PathBuf {
        let info: serde_json::Value = serde_json::from_str(info).expect("what containerd tells beyond the standard");
        self.enclosure.proc(&info["pid"].as_u64().expect("a pid").to_string())
    }
}

/// One call of a connection.
async fn unary<Request, Response>(
    channel: &Channel,
    method: &'static str,
    request: Request,
) -> Result<Response, tonic::Status>
where
    Request: Message + 'static,
    Response: Message + Default + 'static,
{
    let path = format!("/runtime.v1.{method}").parse().expect("a path");
    let mut client = Grpc::new(channel.clone());
    let call = async {
        client.ready().await.map_err(|error| tonic::Status::unavailable(error.to_string()))?;
        client.unary(tonic::Request::new(request), path, ProstCodec::default()).await
    };
    let answer = tokio::time::timeout(DEADLINE, call).await;
    Ok(answer.map_err(|_| tonic::Status::deadline_exceeded("nothing came"))??.into_inner())
}

/// A pod.
pub struct Pod<'a> {
    node: &'a Node,
    pub id: String,
    pub config: PodSandboxConfig,
    pid: Mode,
}

impl<'a> Pod<'a> {
    fn id(&self) -> Id {
        Id { id: self.id.clone() }
    }

    fn asked(&self, verbose: bool) -> PodSandboxStatusResponse {
        self.node.call("RuntimeService/PodSandboxStatus", StatusRequest { id: self.id.clone(), verbose })
    }

    pub fn status(&self) -> PodSandboxStatus {
        self.asked(false).status.expect("a status")
    }

    pub fn is_ready(&self) -> bool {
        self.status().state == 0
    }

    /// Its address.
    pub fn address(&self) -> String {
        self.status().network.expect("a network").ip
    }

    /// `/proc/PID` of its own process. The runtime may still be about to execute it.
    pub fn proc(&self) -> PathBuf {
        self.node.proc(&self.asked(true).info["info"])
    }

    /// A running container of `image` in it: `command` instead of the image's entry point, or none and then `arguments` for it.
    pub fn start(
        &self,
        name: &str,
        image: &str,
        command: &[&str],
        arguments: &[&str],
        user: Option<(i64, i64)>,
    ) -> Member<'_> {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let value = |value| Some(Int64Value { value });
        let context = LinuxContainerSecurityContext {
            namespace_options: Some(NamespaceOption { pid: self.pid as i32 }),
            run_as_user: user.and_then(|(user, _)| value(user)),
            run_as_group: user.and_then(|(_, group)| value(group)),
            seccomp: Some(SecurityProfile {}),
        };
        let config = ContainerConfig {
            metadata: Some(ContainerMetadata { name: name.to_owned(), attempt: 0 }),
            image: Some(ImageSpec { image: image.to_owned() }),
            command: words(command),
            args: words(arguments),
            log_path: format!("{name}.log"),
            linux: Some(LinuxContainerConfig { security_context: Some(context) }),
        };
        let request = CreateContainerRequest {
            pod_sandbox_id: self.id.clone(),
            config: Some(config),
            sandbox_config: Some(self.config.clone()),
        };
        let made: Id = self.node.call("RuntimeService/CreateContainer", request);
        let _: Nothing = self.node.call("RuntimeService/StartContainer", made.clone());
        Member { pod: self, id: made.id, name: name.to_owned() }
    }

    /// StopPodSandbox.
    pub fn stop(&self) {
        let _: Nothing = self.node.call("RuntimeService/StopPodSandbox", self.id());
    }

    /// RemovePodSandbox.
    pub fn remove(&self) {
        let _: Nothing = self.node.call("RuntimeService/RemovePodSandbox", self.id());
    }

    /// Whether ListPodSandbox has it.
    pub fn is_listed(&self) -> bool {
        let list: IdList = self.node.call("RuntimeService/ListPodSandbox", Nothing {});
        list.items.contains(&self.id())
    }

    /// Sends a signal to its own process.
    pub fn kill(&self, signal: &str) {
        self.node.ctr(&["tasks", "kill", "--signal", signal, &self.id]);
    }
}

/// A container of a pod.
pub struct Member<'a> {
    pod: &'a Pod<'a>,
    id: String,
    name: String,
}

impl Member<'_> {
    fn asked(&self) -> ContainerStatusResponse {
        self.pod.node.call("RuntimeService/ContainerStatus", StatusRequest { id: self.id.clone(), verbose: true })
    }

    /// `/proc/PID` of its first process.
    pub fn proc(&self) -> PathBuf {
        self.pod.node.proc(&self.asked().info["info"])
    }

    pub fn is_running(&self) -> bool {
        self.asked().status.expect("a status").state == 1
    }

    /// Sends a signal to its first process.
    pub fn kill(&self, signal: &str) {
        self.pod.node.ctr(&["tasks", "kill", "--signal", signal, &self.id]);
    }

    /// Waits for its end: the exit status.
    pub fn end(&self) -> i32 {
        let start = Instant::now();
        loop {
            let status = self.asked().status.expect("a status");
            if status.state == 2 {
                return status.exit_code;
            }
            assert!(start.elapsed() < DEADLINE, "{} does not end: {status:?}", self.name);
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// What it has written on standard output and standard error.
    pub fn log(&self) -> String {
        let log = PathBuf::from(&self.pod.config.log_directory).join(format!("{}.log", self.name));
        // Lines such as: 2026-01-02T03:04:05.678901234Z stdout F text
        let log = fs::read_to_string(log).expect("its log");
        log.lines().filter_map(|line| Some(format!("{}\n", line.splitn(4, ' ').nth(3)?))).collect()
    }

    /// Waits until it has written a line.
    pub fn expect(&self, line: &str) {
        let start = Instant::now();
        while !self.log().lines().any(|said| said == line) {
            assert!(start.elapsed() < DEADLINE, "{} did not say {line:?}, but {:?}", self.name, self.log());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// ExecSync of a script, which must succeed: its output.
    pub fn exec(&self, script: &str) -> String {
        let cmd = ["sh", "-c", script].map(str::to_owned).to_vec();
        let request = ExecSyncRequest { container_id: self.id.clone(), cmd, timeout: DEADLINE.as_secs() as i64 };
        let answer: ExecSyncResponse = self.pod.node.call("RuntimeService/ExecSync", request);
        let (stdout, stderr) = (String::from_utf8_lossy(&answer.stdout), String::from_utf8_lossy(&answer.stderr));
        assert_eq!(answer.exit_code, 0, "{script}\n{stdout}{stderr}");
        stdout.into_owned()
    }
}
