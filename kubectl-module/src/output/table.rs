//! Tables as kubectl prints them: upper-case header, columns three spaces apart, no trailing blanks.

/// Columns are this far apart, as in kubectl.
const GAP: usize = 3;

/// Lays out rows below a header. Every row must have as many cells as the header.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = header.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    let header: Vec<String> = header.iter().map(|&cell| cell.to_owned()).collect();
    for row in std::iter::once(&header).chain(rows) {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width - cell.chars().count() + GAP));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fit_their_widest_cell() {
        let rows = [vec!["demo".to_owned(), "True".to_owned()], vec!["a-long-name".to_owned(), String::new()]];
        assert_eq!(table(&["NAME", "READY"], &rows), "NAME          READY\ndemo          True\na-long-name\n");
    }
}
