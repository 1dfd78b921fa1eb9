/**
 * Texts on which tokenizers go wrong, written by hand and mixed from fragments with a fixed seed. The golden ids are of exactly these
 * strings, in this order: after a change here run generate.ts again.
 */
const BY_HAND: readonly string[] = [
  ...['a', ' ', '  ', '\n', '\n\n', '\t', '\r\n', '\r', ' \n', '\n ', ' \n ', '   \n\n\t \n', '\u00a0', '\u3000', '\u2028', '\u0085', '\ufeff', '\u200b'],
  ...['Hello', ' Hello', 'Hello ', 'Hello world', ' Hello  world ', 'Hello, world!', 'HELLO World hElLo', 'hello\nworld', 'hello\r\nworld\r\n'],
  ...['The capital of France is Paris.', 'What is the capital of France?', 'Once upon a time, there was a little girl named Lily.'],
  ...["I'm sure they've seen it; we'll go, he'd say, don't, it's, you're", "I'M SURE THEY'VE SEEN IT; WE'LL GO, HE'D SAY", "'s 't 're 've 'm 'll 'd", "'S'T'RE'VE'M'LL'D", "'x '", "''''", "l'été d'Anna", '’s ’t it’s', "rock 'n' roll", "'ſ 'K"],
  ...['0', '12', '123', '1234', '12345', '1234567890', '3.14159', '1,000,000.00', '2024-02-29T23:59:59Z', '0x1F 0b101 1e-9', 'a1b22c333d4444', '٠١٢٣٤٥٦٧٨٩', '१२३४५', '½¾ ²³ Ⅷ ①②③', '１２３４', 'x²+y²=z²', '10% $5 €6 £7'],
  ...['naïve café résumé', 'nai\u0308ve cafe\u0301', 'Zürich Größe ÆØÅ', 'ÉCOLE École éCOLE aÉb ÀÉÎ', 'ǅ ǆ Ǆ', 'ﬁ ﬂ', 'İstanbul ıI', 'Straße STRASSE ẞ'],
  ...['Привет, мир! Как дела?', 'Ελληνικά και ελληνικά', 'Съешь ещё этих мягких французских булок', 'Tiếng Việt có dấu', 'Kwa heri ya kuonana', 'čšž ĐĆ'],
  ...['你好，世界', '今天天气怎么样？', '私は東京に住んでいます。', 'カタカナひらがな漢字', '한국어 문장입니다.', '中文English混合123', '𠮷野家 𡨸喃', '㐀㐁'],
  ...['مرحبا بالعالم', 'السَّلَامُ عَلَيْكُمْ', 'שָׁלוֹם עולם', 'नमस्ते दुनिया', 'हिन्दी में', 'สวัสดีชาวโลก', 'ภาษาไทย', 'বাংলা ভাষা', 'தமிழ் மொழி', 'ქართული', 'ՀԱՅԵՐԵՆ', 'አማርኛ', 'ខ្មែរ', 'မြန်မာ'],
  ...['😀', '😀😀😀', '👨‍👩‍👧‍👦', '👍🏽', '🇫🇷🇩🇪', '🏳️‍🌈', 'a😀b', ' 😀', '☕️', '❤️‍🔥', '1️⃣', '🤷🏿‍♀️ ok'],
  ...['Z̸̤̈á̷l̸g̴o̷', 'a\u0301\u0301\u0301', '\u0301', ' \u0301x', 'e\u200dx', 'a\u200eb\u200f', '\u202eabc', 'soft\u00adhyphen', 'non\u00a0breaking', 'thin\u2009space', 'a\u3000b', 'a\u0085b', '\ufeffBOM'],
  ...['for (let i = 0; i < n; i++) {\n\tsum += a[i];\n}\n', 'def f(x):\n    return x ** 2  # square\n\n\nprint(f(3))', '#include <stdio.h>\nint main(void) { return 0; }', 'SELECT * FROM t WHERE a<>\'b\' AND c>=1;', 'if(a&&b||!c){d=e?f:g;}', '<div class="a">b</div>', '{"a": [1, 2.5, null, true]}', 'https://example.org/a/b?c=d&e=f#g', 'C:\\Users\\Ünï\\file.txt', '/usr/local/bin', 'user@example.com', '$HOME ${x} `ls`', 'a=>b->c::d', '/* c */ // d', '\\n \\t \\u0041', '---\ntitle: x\n---', '| a | b |\n|---|---|\n', '- [ ] todo\n  * x\n', '**bold** _it_ ~~no~~', 'camelCaseWord PascalCase snake_case SCREAMING_CASE kebab-case', 'HTTPServer XMLHttpRequest iPhone eBay', '[\r\n]//\n/path\n/\n'],
  ...['...', '. . .', '…', '!?!?', '((()))', '""""', '“quoted” ‘x’ «y» „z“', '–—―', '±×÷≠≤≥', '←↑→↓', '™®©', '¡Hola! ¿Qué?', '^_^ :-) <3', '+=-=*=/=', '~`|', '_ __ ___', '#$%&@', '.\n.', '!\n\n', '?!\r\n\r\n', '- \n- ', ' .', ' . ', '= =', '=\n=', '/\n/', '//\n\n'],
  ...['a b', 'a  b', 'a   b', 'a    b', 'a\tb', 'a\t\tb', 'a \tb', 'a\n b', 'a\n\n b', 'a \n b', 'a\n  \n  b', '  a', '\ta', '\n\na', 'a  ', 'a\n', 'a\n\n\n', ' '.repeat(7), ' '.repeat(16) + 'x', '\n'.repeat(9) + 'x', '\t'.repeat(5) + 'x', 'x' + ' '.repeat(33), ' \t \t x', '\u00a0\u00a0x', '\u3000\u3000x', ' \u00a0 x', '\v\fx', 'a\r\n\r\n\tb', '\r\r\n\n'],
  ...['<|im_start|>user\nHi<|im_end|>\n', '<|im_start|', '|im_end|>', '<|endoftext|>', '<s>', '</s>', '<unk>', '[INST] x [/INST]', '<|eot_id|>', '<|start_header_id|>user<|end_header_id|>\n\n', '<start_of_turn>', '<0x0A>', '<0x41>', '<|im_start|><|im_start|>', 'a<|im_end|>b', ' <|im_end|> ', '< |im_end|>', '<|IM_END|>', '<<|im_end|>>', '<think>\n</think>', '<tag>x</tag>', '<tagged>', '▁', '▁a▁b', 'a▁ b', 'Ġ', 'ĠHello', 'Ċ', 'âĢĻ'],
  ...['\u0000', 'a\u0000b', '\u0001\u0002\u001f\u007f', '\u0080\u009f', '\ufffd', '\ufffd\ufffd\ufffd', 'caf\ufffd', '\ue000', '\uf8ff', '\u{10ffff}', '\u{f0000}', '\ufdd0', '\u0378', '\u{1f9ff}\u{1fa70}', '\u{e0041}'],
  ...[' \u0085 x \u0085 x', '\u0085\u0085x\u0085\u0085x', ' \ufeff\ufeff x \ufeff\ufeff x', '\ufeff \ufeff \n\ufeff \n', 'a\u0085\n\u0085\nb\u0085\n\u0085\n', ' \u2003 \u2003x \u2003 \u2003x'],
  ...['éAbéAbéAb', 'ÀBcÀBcÀBc', '中Ab中Ab中Ab', '中AB中AB中AB', 'aÉaÉaÉ', 'AÉbAÉbAÉb', 'Жa Жa ЖA ЖA', 'e\u0301Ae\u0301A', "DON'TDON'T don'tdon't", "É'sÉ's É'SÉ'S", '/\n//\n/x/\n//\n/x', '123a123a1234b1234b'],
  ...['a'.repeat(64), 'ab'.repeat(40), 'A'.repeat(33), 'xyz'.repeat(21), '-'.repeat(40), '='.repeat(80), '1'.repeat(31), '. '.repeat(20), '한'.repeat(12), '😀'.repeat(9), 'Aa'.repeat(20), 'é'.repeat(20)],
];

const FRAGMENTS: readonly string[] = [
  ...['the', 'The', ' of', ' and', 'ing', "'s", "'LL", "'", ' ', '  ', '\n', '\r\n', '\t', '\u00a0', '\u3000', '.', ',', '!', '?', '-', '--', '/', '(', ')', '"'],
  ...['1', '23', '456', '7890', 'x', 'X', 'É', 'é', 'ñ', 'ß', 'Ж', 'ж', '中', '文', 'の', '한', 'ش', 'ה', 'क', '्', 'ก', '่', '\u0301', '\u200d', '😀', '👍🏽', '\ufe0f'],
  ...['<|', '|>', 'im_end', '<', '>', '{', '}', '=', '+', '$', '_', '▁', '\u0085', '\ufeff', '\u0000', '²', '½', 'Ⅷ', '™', '€'],
];

/** Marsaglia's xorshift32: small, and the same everywhere. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const SEED = 20240229;

function mixed(count: number): string[] {
  const random = randomOf(SEED);
  return Array.from({ length: count }, () => {
    const length = 1 + random(14);
    return Array.from({ length }, () => FRAGMENTS[random(FRAGMENTS.length)]).join('');
  });
}

export const CORPUS: readonly string[] = [...BY_HAND, ...mixed(120)];
