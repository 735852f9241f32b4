import { ChevronRight, HardDrive } from 'lucide-react'
import type { FilePath } from './ask-files.ts'
import { shownName, wayTo } from './file-paths.ts'

interface WayToProps {
  at: FilePath
  label: string
  rootLabel: string
  onGo(at: FilePath): void
}

/** The folders on the way, each a step back. */
export function WayTo({ at, label, rootLabel, onGo }: WayToProps) {
  const way = wayTo(at)
  return (
    <nav aria-label={label} className="border-t px-3 py-1.5">
      <ol className="flex flex-wrap items-center">
        {way.map((step, index) => (
          <li key={step.at.path} className="flex min-w-0 items-center">
            {index > 0 && <ChevronRight aria-hidden className="size-3.5 shrink-0 text-muted" />}
            <button
              type="button"
              aria-label={index === 0 ? rootLabel : undefined}
              aria-current={index === way.length - 1 ? 'page' : undefined}
              onClick={() => onGo(step.at)}
              className="inline-flex min-h-7 items-center break-all rounded px-1.5 text-left text-muted hover:text-foreground aria-[current]:font-medium aria-[current]:text-foreground"
            >
              {index === 0 ? <HardDrive aria-hidden className="size-4" /> : <bdi>{shownName(step.name)}</bdi>}
            </button>
          </li>
        ))}
      </ol>
    </nav>
  )
}
