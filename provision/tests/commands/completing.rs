//! Completions for shells.

use crate::tool::run;

#[test]
fn each_shell_is_told_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let outcome = run(["completions", shell]);
        assert_eq!(outcome.status, 0, "{outcome:#?}");
        for word in ["microvisor-provision", "bundle", "policy", "fixed-thing"] {
            assert!(outcome.stdout.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(run(["completions", "csh"]).status, 2);
}
