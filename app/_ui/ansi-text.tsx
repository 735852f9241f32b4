import { Fragment, type ReactNode } from 'react'
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

interface AnsiTextProps {
  children: string
  /** Marks what it finds, in group 1. */
  marks?: RegExp | null
}

/** A line that a program wrote for a terminal, in the colours that it asked for. */
export function AnsiText({ children, marks = null }: AnsiTextProps) {
  return parseAnsi(children).map(({ text, color, isBold, isDim, isItalic, isUnderlined }, index) => {
    const looks = cn(
      color !== null && colors[color],
      isBold && 'font-semibold',
      isDim && color === null && 'text-muted',
      isItalic && 'italic',
      isUnderlined && 'underline',
    )
    const shown = marks === null ? text : marked(text, marks)
    return looks === '' ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a line never change
      <Fragment key={index}>{shown}</Fragment>
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a line never change
      <span key={index} className={looks}>
        {shown}
      </span>
    )
  })
}

/** Splitting by a group gives what is between and what was found in turn. */
function marked(text: string, marks: RegExp): ReactNode {
  return text.split(marks).map((piece, index) =>
    index % 2 === 0 ? (
      piece
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a line never change
      <mark key={index} className="rounded-sm bg-warning-soft text-warning">
        {piece}
      </mark>
    ),
  )
}
