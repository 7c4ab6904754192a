use crate::support::Shop;

#[test]
fn know_the_commands_and_flags() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = Shop::new().run(["completions", shell]);
        for word in ["groups", "members", "ids-file", "completions"] {
            assert!(script.contains(word), "{word} is missing for {shell}");
        }
    }
}

/// The script is one that the shell takes.
#[cfg(target_os = "linux")]
#[test]
fn complete_in_bash() {
    let script = Shop::new().run(["completions", "bash"]);
    let asked = format!(
        "{script}\nCOMP_WORDS=(stheno groups mem); COMP_CWORD=2\n_stheno stheno mem groups\necho \"${{COMPREPLY[@]}}\""
    );
    let output = std::process::Command::new("bash").args(["-c", &asked]).output().unwrap();
    assert_eq!(crate::support::text_of(&output), "members\n");
}
