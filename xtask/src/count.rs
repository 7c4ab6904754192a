//! How many tests ran, read from what the test runners print at their end.

use std::fmt;
use std::ops::AddAssign;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Count {
    /// Adds what a closing line of `cargo test` says: `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
    pub(crate) fn read_cargo_test(&mut self, line: &str) {
        if let Some(result) = line.trim().strip_prefix("test result: ") {
            for part in result.split(['.', ';']) {
                self.add_part(part);
            }
        }
    }

    /// Adds what the closing line of nextest says: `Summary [ 0.1s] 4 tests run: 3 passed (1 slow), 1 failed, 0 skipped`.
    pub(crate) fn read_nextest(&mut self, line: &str) {
        if let Some(summary) = line.trim().strip_prefix("Summary [")
            && let Some((_, parts)) = summary.split_once(" run: ")
        {
            for part in parts.split(',') {
                self.add_part(part);
            }
        }
    }

    /// Adds what a closing line of Node's reporter `spec` says: `ℹ pass 3`.
    pub(crate) fn read_node(&mut self, line: &str) {
        if let Some(total) = line.strip_prefix("ℹ ")
            && let Some((word, number)) = total.trim_end().split_once(' ')
            && let Ok(number) = number.parse()
        {
            self.add(number, word);
        }
    }

    /// Adds what the closing line of pytest says: `2 failed, 3 passed, 1 error in 4.09s`, with or without a frame.
    pub(crate) fn read_pytest(&mut self, line: &str) {
        if let Some((parts, time)) = line.trim_matches(['=', ' ', '\n']).rsplit_once(" in ")
            && time.starts_with(|first: char| first.is_ascii_digit())
        {
            for part in parts.split(',') {
                self.add_part(part);
            }
        }
    }

    /// `3 passed (1 slow)`: a number, and the word that says of what.
    fn add_part(&mut self, part: &str) {
        let mut words = part.split_whitespace();
        if let (Some(number), Some(word)) = (words.next(), words.next())
            && let Ok(number) = number.parse()
        {
            self.add(number, word);
        }
    }

    fn add(&mut self, number: u64, word: &str) {
        match word {
            "passed" | "pass" => self.passed += number,
            // nextest: "1 timed out", "1 exec failed".
            // pytest: "1 error", of what could not be set up.
            "failed" | "fail" | "timed" | "exec" | "cancelled" | "error" | "errors" => self.failed += number,
            "skipped" | "ignored" | "todo" => self.skipped += number,
            _ => {}
        }
    }
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Count {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(formatter, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Count;

    fn count(read: fn(&mut Count, &str), output: &str) -> Count {
        let mut count = Count::default();
        for line in output.lines() {
            read(&mut count, line);
        }
        count
    }

    #[test]
    fn adds_up_every_test_binary_of_cargo_test() {
        let output = "
running 3 tests
test a ... ok
test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

test result: FAILED. 1 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.07s
";
        let expected = Count { passed: 4, failed: 2, skipped: 1 };
        assert_eq!(count(Count::read_cargo_test, output), expected);
    }

    #[test]
    fn reads_nextest_with_its_remarks_and_ways_to_fail() {
        let output = "
        PASS [   0.004s] (1/8) xtask count::tests::passed
     Summary [   0.006s] 8/9 tests run: 4 passed (1 slow, 1 flaky, 2 leaky), 1 failed, 2 timed out, 1 exec failed, 3 skipped
        FAIL [   0.004s] (1/8) xtask count::tests::failed
";
        let expected = Count { passed: 4, failed: 4, skipped: 3 };
        assert_eq!(count(Count::read_nextest, output), expected);
    }

    #[test]
    fn reads_the_totals_of_node() {
        let output = "\
✔ creates a group (4.1ms)
ℹ tests 9
ℹ suites 2
ℹ pass 5
ℹ fail 1
ℹ cancelled 1
ℹ skipped 1
ℹ todo 1
ℹ duration_ms 38.1
";
        let expected = Count { passed: 5, failed: 2, skipped: 2 };
        assert_eq!(count(Count::read_node, output), expected);
    }

    #[test]
    fn reads_the_totals_of_pytest() {
        let output = "\
.F.E                                                     [100%]
E   AssertionError: 3 passed in the night
FAILED test_client.py::test_errors_are_typed - assert 1 == 2
== 2 failed, 5 passed, 1 skipped, 1 warning, 2 errors in 61.20s (0:01:01) ==
";
        let expected = Count { passed: 5, failed: 4, skipped: 1 };
        assert_eq!(count(Count::read_pytest, output), expected);
    }

    #[test]
    fn is_shown_as_test_runners_do() {
        let none_skipped = Count { passed: 12, failed: 0, skipped: 0 };
        assert_eq!(none_skipped.to_string(), "12 passed, 0 failed");
        let one_skipped = Count { passed: 12, failed: 1, skipped: 1 };
        assert_eq!(one_skipped.to_string(), "12 passed, 1 failed, 1 skipped");
    }
}
