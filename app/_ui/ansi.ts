/** Text with one look: what terminals make of the escape sequences of ECMA-48 (SGR, "Select Graphic Rendition"). */
export interface StyledText {
  text: string
  /** One of the eight colours; what brightens it only is the same colour here, since both have to be legible. */
  color: AnsiColor | null
  isBold: boolean
  isDim: boolean
  isItalic: boolean
  isUnderlined: boolean
}

export const ansiColors = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const

export type AnsiColor = (typeof ansiColors)[number]

const plain = { color: null, isBold: false, isDim: false, isItalic: false, isUnderlined: false }

const esc = String.fromCharCode(27)
const bell = String.fromCharCode(7)
/** Control sequences (their parameters in group 1 where they set a look), strings such as links, and single ones. */
const sequences = new RegExp(
  `${esc}\\[(?:([\\d;:]*)m|[0-?]*[ -/]*[@-~])|${esc}\\][^${bell}${esc}]*(?:${bell}|${esc}\\\\)?|${esc}[ -/]*[0-Z\\\\^-~]`,
  'g',
)

/** A line of log as pieces of one look each. What is no look, such as moving the cursor, is left out. */
export function parseAnsi(line: string): StyledText[] {
  if (!line.includes(esc)) return [{ text: line, ...plain }]
  const pieces: StyledText[] = []
  let look: Omit<StyledText, 'text'> = plain
  let from = 0
  const take = (to: number) => {
    const text = line.slice(from, to)
    if (text !== '') pieces.push({ text, ...look })
  }
  for (const match of line.matchAll(sequences)) {
    take(match.index)
    from = match.index + match[0].length
    if (match[1] !== undefined) look = afterCodes(look, match[1])
  }
  take(line.length)
  return pieces
}

export function withoutAnsi(line: string): string {
  return line.replace(sequences, '')
}

function afterCodes(before: Omit<StyledText, 'text'>, parameters: string): Omit<StyledText, 'text'> {
  const codes = parameters.split(/[;:]/).map(Number)
  let look = before
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at] ?? 0
    if (code === 0) look = plain
    else if (code === 1) look = { ...look, isBold: true }
    else if (code === 2) look = { ...look, isDim: true }
    else if (code === 3) look = { ...look, isItalic: true }
    else if (code === 4) look = { ...look, isUnderlined: true }
    else if (code === 22) look = { ...look, isBold: false, isDim: false }
    else if (code === 23) look = { ...look, isItalic: false }
    else if (code === 24) look = { ...look, isUnderlined: false }
    else if (code === 39) look = { ...look, color: null }
    else if (code === 38 || code === 48) {
      // Of 256 colours the first sixteen are these; the others may be illegible on our ground, and stay as the text is.
      const index = codes[at + 2] ?? 256
      if (code === 38 && codes[at + 1] === 5) look = { ...look, color: ansiColors[index % 8] ?? null }
      if (code === 38 && (codes[at + 1] === 2 || index > 15)) look = { ...look, color: null }
      at += codes[at + 1] === 5 ? 2 : 4
    } else if (code >= 30 && code <= 37) look = { ...look, color: ansiColors[code - 30] ?? null }
    else if (code >= 90 && code <= 97) look = { ...look, color: ansiColors[code - 90] ?? null }
  }
  return look
}
