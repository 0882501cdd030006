//! Deterministic mutations for the smoke test, where there is no libFuzzer.

/// Makes inputs from seeds. The same number gives the same inputs.
#[derive(Debug)]
pub struct Mutator {
    state: u64,
    words: Vec<Vec<u8>>,
}

/// Longer inputs take longer and show nothing more.
const LONGEST: usize = 4096;

impl Mutator {
    /// A mutator that uses these words.
    pub fn new(number: u64, words: Vec<Vec<u8>>) -> Self {
        Self { state: number, words }
    }

    /// An input made from one seed by a few changes, some of which take from other seeds.
    pub fn mutate(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = self.pick(seeds).cloned().unwrap_or_default();
        for _ in 0..=self.below(4) {
            let start = self.below(input.len() + 1);
            let end = (start + self.below(32)).min(input.len());
            match self.below(6) {
                0 => {
                    if let Some(byte) = input.get_mut(start) {
                        *byte ^= 1 << (self.state >> 61);
                    }
                }
                1 => drop(input.drain(start..end)),
                2 => {
                    let piece = input[start..end].repeat(1 + self.below(4));
                    input.splice(start..start, piece);
                }
                3 => {
                    let other = self.pick(seeds).cloned().unwrap_or_default();
                    let from = self.below(other.len() + 1);
                    let to = (from + self.below(64)).min(other.len());
                    input.splice(start..end, other[from..to].iter().copied());
                }
                _ => {
                    let words = std::mem::take(&mut self.words);
                    if let Some(word) = self.pick(&words) {
                        input.splice(start..start, word.iter().copied());
                    }
                    self.words = words;
                }
            }
        }
        input.truncate(LONGEST);
        input
    }

    fn pick<'s, T>(&mut self, items: &'s [T]) -> Option<&'s T> {
        items.get(self.below(items.len()))
    }

    /// A number below the limit; zero if that is zero. `SplitMix64`.
    fn below(&mut self, limit: usize) -> usize {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.state;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^= word >> 31;
        usize::try_from(word % (limit.max(1) as u64)).unwrap_or_default()
    }
}
