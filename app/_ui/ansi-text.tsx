import { type AnsiColor, parseAnsi } from './ansi.ts'
import { cn } from './cn.ts'

/** Black and white are the ground and the text of somebody's terminal; here they are the text. */
const colors: Record<AnsiColor, string> = {
  black: '',
  red: 'text-ansi-red',
  green: 'text-ansi-green',
  yellow: 'text-ansi-yellow',
  blue: 'text-ansi-blue',
  magenta: 'text-ansi-magenta',
  cyan: 'text-ansi-cyan',
  white: '',
}

/** A line that a program wrote for a terminal, in the colours that it asked for. */
export function AnsiText({ children }: { children: string }) {
  return parseAnsi(children).map(({ text, color, isBold, isDim, isItalic, isUnderlined }, index) => {
    const looks = cn(
      color !== null && colors[color],
      isBold && 'font-semibold',
      isDim && color === null && 'text-muted',
      isItalic && 'italic',
      isUnderlined && 'underline',
    )
    return looks === '' ? (
      text
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a line never change
      <span key={index} className={looks}>
        {text}
      </span>
    )
  })
}
