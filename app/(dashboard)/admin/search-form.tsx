import { Search } from 'lucide-react'
import type { ReactNode } from 'react'
import { Button } from '../../_ui/button.tsx'
import { TextField } from '../../_ui/field.client.tsx'

interface SearchFormProps {
  label: string
  submitLabel: string
  search: string | undefined
  /** Other fields of the form. */
  children?: ReactNode
}

/** Asks for the same page with a search in its address, so that it can be kept and passed on. */
export function SearchForm({ label, submitLabel, search, children }: SearchFormProps) {
  return (
    <search className="mb-5 block">
      <form method="get" className="flex flex-wrap items-end gap-3">
        <TextField
          className="min-w-0 flex-[1_1_14rem]"
          label={label}
          name="search"
          type="search"
          defaultValue={search}
          maxLength={200}
        />
        {children}
        <Button type="submit">
          <Search aria-hidden />
          {submitLabel}
        </Button>
      </form>
    </search>
  )
}
