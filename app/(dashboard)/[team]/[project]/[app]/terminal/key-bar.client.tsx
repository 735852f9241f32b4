'use client'

import { useTranslations } from 'next-intl'
import { Button } from '../../../../../_ui/button.tsx'

const keys = [
  ['Esc', '\u001b'],
  ['Tab', '\t'],
  ['Ctrl-C', '\u0003'],
  ['Ctrl-D', '\u0004'],
  ['←', '\u001b[D'],
  ['↑', '\u001b[A'],
  ['↓', '\u001b[B'],
  ['→', '\u001b[C'],
] as const

/** Keys that the keyboard of a phone does not have. */
export function KeyBar({ type, disabled }: { type(text: string): void; disabled: boolean }) {
  const t = useTranslations('terminal')
  return (
    <div
      role="toolbar"
      aria-label={t('keys')}
      className="hidden gap-1.5 overflow-x-auto border-t px-3 py-2 pointer-coarse:flex"
    >
      {keys.map(([label, text]) => (
        <Button
          key={label}
          size="small"
          className="shrink-0 font-mono"
          disabled={disabled}
          // The focus, and with it the keyboard, stays where it is.
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => type(text)}
        >
          {label}
        </Button>
      ))}
    </div>
  )
}
