'use client'

import { useState } from 'react'
import { SelectField } from '../../../_ui/select.client.tsx'

interface StateFieldProps {
  label: string
  /** An empty value stands for all. */
  items: { value: string; label: string }[]
  state: string
}

/** Which accounts the list shows. */
export function StateField({ label, items, state }: StateFieldProps) {
  const [value, setValue] = useState(state)
  return (
    <>
      <SelectField className="w-44" label={label} value={value} onValueChange={setValue} items={items} />
      {value !== '' && <input type="hidden" name="state" value={value} />}
    </>
  )
}
