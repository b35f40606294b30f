//! Numbers as people read them.

/// `21348` as `21,348`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 event`, `2,000 events`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!([0, 999, 1_000, 21_348, 1_234_567].map(grouped), ["0", "999", "1,000", "21,348", "1,234,567"]);
        assert_eq!([0, 1, 2_000].map(|n| counted(n, "event")), ["0 events", "1 event", "2,000 events"]);
    }
}
