import { cn } from './cn.ts'

interface ProgressBarProps {
  label: string
  /** 0–1 */
  value: number
  /** How pressing it is. */
  tone?: keyof typeof tones
  className?: string
}

const tones = { accent: 'bg-accent', warning: 'bg-warning', danger: 'bg-danger' }

export function ProgressBar({ label, value, tone = 'accent', className }: ProgressBarProps) {
  const percent = Math.round(Math.min(1, Math.max(0, value)) * 100)
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuenow={percent}
      aria-valuemin={0}
      aria-valuemax={100}
      className={cn('h-1.5 overflow-hidden rounded-full bg-border', className)}
    >
      <div
        className={cn('h-full rounded-full transition-[width] duration-200', tones[tone])}
        style={{ width: `${percent}%` }}
      />
    </div>
  )
}
