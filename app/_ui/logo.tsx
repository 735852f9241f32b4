import { cn } from './cn.ts'

/** A vessel in its berth. */
export function LogoMark({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true" className={cn('size-6 shrink-0', className)}>
      <rect width="32" height="32" rx="8" className="fill-accent" />
      <path
        d="M8 7v13.5a3.5 3.5 0 0 0 3.5 3.5h9a3.5 3.5 0 0 0 3.5-3.5V7"
        fill="none"
        strokeWidth="2.5"
        strokeLinecap="round"
        className="stroke-accent-foreground"
      />
      <rect x="12.75" y="8" width="6.5" height="10.5" rx="2" className="fill-accent-foreground" />
    </svg>
  )
}

export function Logo({ className }: { className?: string }) {
  return (
    <span className={cn('inline-flex items-center gap-2.5', className)}>
      <LogoMark />
      <span className="font-semibold text-base tracking-tight">Berth</span>
    </span>
  )
}
