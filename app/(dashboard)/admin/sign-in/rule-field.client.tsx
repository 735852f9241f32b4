'use client'

interface RuleFieldProps {
  label: string
  description: string
  checked: boolean
  onCheckedChange(checked: boolean): void
}

/** A choice of yes or no that needs a sentence. */
export function RuleField({ label, description, checked, onCheckedChange }: RuleFieldProps) {
  return (
    <label className="flex items-start gap-2.5">
      <input
        type="checkbox"
        className="mt-0.5 size-4 shrink-0 accent-accent"
        checked={checked}
        onChange={(event) => onCheckedChange(event.target.checked)}
      />
      <span className="min-w-0">
        <span className="block font-medium">{label}</span>
        <span className="block text-[13px] text-muted">{description}</span>
      </span>
    </label>
  )
}
