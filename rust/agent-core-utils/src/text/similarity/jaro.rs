//! Jaro's resemblance with Winkler's weight for a common beginning.

/// The resemblance of two texts in code points, from 0 to 1.
pub(super) fn jaro_winkler(left: &[u32], right: &[u32]) -> f64 {
    if left.is_empty() && right.is_empty() {
        return 1.0;
    }
    let reach = (left.len().max(right.len()) / 2).saturating_sub(1);
    let mut taken = vec![false; right.len()];
    let mut matched = Vec::new();
    for (at, point) in left.iter().enumerate() {
        let from = at.saturating_sub(reach);
        let to = right.len().min(at + reach + 1);
        for other in from..to {
            if !taken[other] && right[other] == *point {
                taken[other] = true;
                matched.push(*point);
                break;
            }
        }
    }
    if matched.is_empty() {
        return 0.0;
    }
    let others = right.iter().zip(&taken).filter(|(_, taken)| **taken);
    let moved = others.zip(&matched).filter(|((a, _), b)| a != b).count();
    let count = matched.len() as f64;
    let moved = (moved / 2) as f64;
    let jaro =
        (count / left.len() as f64 + count / right.len() as f64 + (count - moved) / count) / 3.0;
    if jaro <= 0.7 {
        return jaro;
    }
    let same = left.iter().zip(right).take(4).take_while(|(a, b)| a == b);
    jaro + same.count() as f64 * 0.1 * (1.0 - jaro)
}
