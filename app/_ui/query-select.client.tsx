'use client'

import { useState } from 'react'
import { SelectField } from './select.client.tsx'

interface QuerySelectProps {
  label: string
  name: string
  /** An empty value stands for all, and is not asked with. */
  items: { value: string; label: string }[]
  value: string
  className?: string
}

/** A choice in a form that asks for the same page with another address. */
export function QuerySelect({ label, name, items, value: given, className }: QuerySelectProps) {
  const [value, setValue] = useState(given)
  return (
    <>
      <SelectField className={className} label={label} value={value} onValueChange={setValue} items={items} />
      {value !== '' && <input type="hidden" name={name} value={value} />}
    </>
  )
}
