/// The README's first program is the one that is compiled, and run, as an example.
#[test]
fn the_first_program_is_the_example() {
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once("```rust,no_run\n").expect("a program");
    let (program, _) = rest.split_once("```").expect("its end");
    assert_eq!(program, include_str!("../../examples/first.rs"));
}
