/// What was measured of one thing, a figure a round.
#[derive(Clone, Debug, Default)]
pub struct Figures(Vec<f64>);

impl Figures {
    /// Adds a round's.
    pub fn push(&mut self, figure: f64) {
        self.0.push(figure);
    }

    /// The middle one; of an even number, the lower of the two.
    #[must_use]
    pub fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
    }
}

/// A table in Markdown: the first column names, the others are figures.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// With the columns' heads.
    pub fn new<T: Into<String>>(heads: impl IntoIterator<Item = T>) -> Self {
        let heads: Vec<String> = heads.into_iter().map(Into::into).collect();
        let ruler = (0..heads.len()).map(|column| if column == 0 { "--".into() } else { "--:".into() }).collect();
        Self { rows: vec![heads, ruler] }
    }

    /// Adds a row.
    pub fn row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// Prints it, under a line that says what it is.
    #[expect(clippy::print_stdout, reason = "that is what a bench is for")]
    pub fn print(&self, caption: &str) {
        println!("\n{caption}\n");
        for row in &self.rows {
            if row.iter().all(|cell| cell.starts_with("--")) {
                println!("|{}|", row.join("|"));
            } else {
                println!("| {} |", row.join(" | "));
            }
        }
    }
}

/// A figure as it is printed: 12,345; and 1.23 where it is small.
#[must_use]
pub fn number(figure: f64) -> String {
    if !figure.is_finite() {
        return "–".into();
    }
    if figure < 100.0 {
        return format!("{figure:.2}");
    }
    let digits = format!("{figure:.0}");
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_one_of_the_rounds() {
        let mut figures = Figures::default();
        assert!(figures.median().is_nan());
        for figure in [3.0, 1.0, 2.0, 10.0] {
            figures.push(figure);
        }
        assert!((figures.median() - 2.0).abs() < f64::EPSILON);
    }

    #[test]
    fn figures_are_grouped() {
        let printed = [0.5, 99.994, 100.0, 999.6, 1_234_567.0, f64::NAN].map(number);
        assert_eq!(printed, ["0.50", "99.99", "100", "1,000", "1,234,567", "–"]);
    }
}
