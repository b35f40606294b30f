//! A new migration is a reason to build again.
fn main() {
    #[expect(clippy::print_stdout, reason = "how a build script talks to cargo")]
    {
        println!("cargo:rerun-if-changed=../../migrations/eventstore");
    }
}
