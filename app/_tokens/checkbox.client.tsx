'use client'

import type { ReactNode } from 'react'

interface CheckboxProps {
  label: ReactNode
  checked: boolean
  onCheckedChange(checked: boolean): void
}

export function Checkbox({ label, checked, onCheckedChange }: CheckboxProps) {
  return (
    <label className="flex min-w-0 items-center gap-2.5 py-1">
      <input
        type="checkbox"
        className="size-4 shrink-0 accent-accent"
        checked={checked}
        onChange={(event) => onCheckedChange(event.target.checked)}
      />
      <span className="min-w-0 truncate">{label}</span>
    </label>
  )
}

/** The list with or without an entry. */
export function toggled(list: string[], entry: string, isIn: boolean): string[] {
  const others = list.filter((each) => each !== entry)
  return isIn ? [...others, entry] : others
}
