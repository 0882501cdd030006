//! How many cases ended how.

use std::fmt;

use super::Verdict;

/// The cases of one folder and release.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    identical: usize,
    masked: usize,
    unvendored: usize,
    same_refusal: usize,
    other_refusal: usize,
    different: usize,
    only_ours: usize,
    only_helm: usize,
}

impl Counts {
    /// Counts one more case.
    pub fn add(&mut self, verdict: &Verdict) {
        *match verdict {
            Verdict::Identical => &mut self.identical,
            Verdict::Masked => &mut self.masked,
            Verdict::Unvendored => &mut self.unvendored,
            Verdict::SameRefusal => &mut self.same_refusal,
            Verdict::OtherRefusal { .. } => &mut self.other_refusal,
            Verdict::Different(_) => &mut self.different,
            Verdict::OnlyOurs(_) => &mut self.only_ours,
            Verdict::OnlyHelm(_) => &mut self.only_helm,
        } += 1;
    }

    fn all(&self) -> [usize; 9] {
        let columns = [
            self.identical,
            self.masked,
            self.unvendored,
            self.same_refusal,
            self.other_refusal,
            self.different,
            self.only_ours,
            self.only_helm,
        ];
        let mut all = [0; 9];
        all[0] = columns.iter().sum();
        all[1..].copy_from_slice(&columns);
        all
    }

    fn merge(self, other: Self) -> Self {
        Self {
            identical: self.identical + other.identical,
            masked: self.masked + other.masked,
            unvendored: self.unvendored + other.unvendored,
            same_refusal: self.same_refusal + other.same_refusal,
            other_refusal: self.other_refusal + other.other_refusal,
            different: self.different + other.different,
            only_ours: self.only_ours + other.only_ours,
            only_helm: self.only_helm + other.only_helm,
        }
    }
}

/// One line of counts for each folder and release.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: Vec<(String, Counts)>,
}

const COLUMNS: [&str; 9] =
    ["cases", "identical", "masked", "unvendored", "refused", "other text", "DIFFERENT", "only ours", "ONLY HELM"];

impl Table {
    /// Adds a line.
    pub fn push(&mut self, name: String, counts: Counts) {
        self.rows.push((name, counts));
    }

    /// Whether no case differs.
    pub fn agrees(&self) -> bool {
        let total = self.total();
        total.different + total.only_ours + total.only_helm == 0
    }

    fn total(&self) -> Counts {
        self.rows.iter().fold(Counts::default(), |total, (_, counts)| total.merge(*counts))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = ("all".to_owned(), self.total());
        let width = self.rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0).max(total.0.len());
        write!(formatter, "{:width$}", "")?;
        for column in COLUMNS {
            write!(formatter, "  {column:>10}")?;
        }
        writeln!(formatter)?;
        for (name, counts) in self.rows.iter().chain([&total]) {
            write!(formatter, "{name:width$}")?;
            for count in counts.all() {
                write!(formatter, "  {count:>10}")?;
            }
            writeln!(formatter)?;
        }
        let total = total.1;
        let rendered = total.identical + total.masked + total.different + total.only_helm;
        let same = total.identical + total.masked;
        // Rounded down: all but one is not 100.00 %.
        let hundredths = (same * 10_000).checked_div(rendered).unwrap_or(10_000);
        writeln!(
            formatter,
            "{same} of {rendered} renders that helm completes are the same: {}.{:02} %",
            hundredths / 100,
            hundredths % 100
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_adds_up() {
        let mut counts = Counts::default();
        for verdict in [
            Verdict::Identical,
            Verdict::Identical,
            Verdict::Masked,
            Verdict::SameRefusal,
            Verdict::OtherRefusal { helm: String::new(), ours: String::new() },
        ] {
            counts.add(&verdict);
        }
        let mut table = Table::default();
        table.push("charts v4".to_owned(), counts);
        assert!(table.agrees());
        assert!(table.to_string().ends_with("3 of 3 renders that helm completes are the same: 100.00 %\n"));
        counts.add(&Verdict::OnlyHelm(String::new()));
        table.push("others".to_owned(), counts);
        assert!(!table.agrees());
        let text = table.to_string();
        let last: Vec<&str> = text.lines().nth(3).unwrap().split_whitespace().collect();
        assert_eq!(last, ["all", "11", "4", "2", "0", "2", "2", "0", "0", "1"]);
        assert!(text.ends_with("6 of 7 renders that helm completes are the same: 85.71 %\n"));
    }
}
