'use client'

import { Switch } from '@base-ui/react/switch'
import { type ReactNode, useId } from 'react'
import { cn } from './cn.ts'

interface SwitchFieldProps {
  label: ReactNode
  description?: ReactNode
  /** In a form: sent while it is on. */
  name?: string
  defaultChecked?: boolean
  checked?: boolean
  onCheckedChange?: (checked: boolean) => void
  className?: string
}

/** Of a switch alone, whose words are elsewhere. What a finger has to hit is larger than what is seen. */
export const switchStyle =
  'relative inline-flex h-5 w-9 shrink-0 items-center rounded-full bg-border-strong p-0.5 transition-colors data-checked:bg-accent after:absolute after:-inset-x-1 after:-inset-y-2.5'
export const thumbStyle =
  'size-4 rounded-full bg-white shadow-sm transition-transform data-checked:translate-x-4'

/** On or off, with words beside it. */
export function SwitchField({ label, description, className, ...control }: SwitchFieldProps) {
  const id = useId()
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the switch has an input in it
    <label className={cn('flex cursor-pointer items-start gap-3', className)}>
      <Switch.Root
        {...control}
        aria-labelledby={`${id}-label`}
        aria-describedby={description === undefined ? undefined : `${id}-words`}
        className={cn('mt-0.5', switchStyle)}
      >
        <Switch.Thumb className={thumbStyle} />
      </Switch.Root>
      <span className="min-w-0">
        <span id={`${id}-label`} className="block font-medium">
          {label}
        </span>
        {description !== undefined && (
          <span id={`${id}-words`} className="mt-0.5 block text-[13px] text-muted">
            {description}
          </span>
        )}
      </span>
    </label>
  )
}
