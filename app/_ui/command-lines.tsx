import { CopyButton } from './copy-button.client.tsx'

interface CommandLinesProps {
  /** What the commands are for. */
  label: string
  lines: string[]
}

/** Commands for a terminal, all copied at once. */
export function CommandLines({ label, lines }: CommandLinesProps) {
  return (
    <div className="flex w-full items-start gap-2 rounded-lg border bg-sunken py-2 pr-2 pl-3.5 text-left">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long line is scrolled with the keyboard too */}
      <section aria-label={label} tabIndex={0} className="min-w-0 flex-1 overflow-x-auto py-1">
        <pre className="font-mono text-[13px] leading-6">{lines.join('\n')}</pre>
      </section>
      <CopyButton text={lines.join('\n')} />
    </div>
  )
}
