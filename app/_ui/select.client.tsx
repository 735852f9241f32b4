'use client'

import { Field } from '@base-ui/react/field'
import { Select } from '@base-ui/react/select'
import { Check, ChevronsUpDown } from 'lucide-react'
import type { ReactNode } from 'react'
import { cn } from './cn.ts'
import { controlStyle, FieldLabel, FieldWords } from './field.client.tsx'
import { itemStyle, popupStyle } from './menu.client.tsx'

interface SelectFieldProps {
  label: ReactNode
  description?: ReactNode
  error?: string
  name?: string
  items: { value: string; label: string }[]
  value: string
  onValueChange(value: string): void
  className?: string
}

export function SelectField(props: SelectFieldProps) {
  const { label, description, error, name, items, value, onValueChange, className } = props
  return (
    <Field.Root invalid={error !== undefined} className={className} name={name}>
      <FieldLabel label={label} />
      <Select.Root
        items={items}
        value={value}
        onValueChange={(chosen) => chosen !== null && onValueChange(chosen)}
      >
        <Select.Trigger className={cn(controlStyle, 'flex h-9 items-center justify-between gap-2 text-left')}>
          <Select.Value className="truncate" />
          <Select.Icon>
            <ChevronsUpDown aria-hidden className="size-4 text-muted" />
          </Select.Icon>
        </Select.Trigger>
        <Select.Portal>
          <Select.Positioner sideOffset={6} alignItemWithTrigger={false} className="z-50 outline-none">
            <Select.Popup className={cn(popupStyle, 'max-h-80 min-w-(--anchor-width) overflow-y-auto')}>
              {items.map((item) => (
                <Select.Item key={item.value} value={item.value} className={itemStyle}>
                  <Select.ItemText className="flex-1 truncate">{item.label}</Select.ItemText>
                  <Select.ItemIndicator>
                    <Check aria-hidden className="size-4 text-accent-text" />
                  </Select.ItemIndicator>
                </Select.Item>
              ))}
            </Select.Popup>
          </Select.Positioner>
        </Select.Portal>
      </Select.Root>
      <FieldWords description={description} error={error} />
    </Field.Root>
  )
}
