'use client'

import { useTranslations } from 'next-intl'
import { Checkbox, toggled } from './checkbox.client.tsx'

interface ActionChoiceProps {
  actions: string[]
  chosen: string[]
  onChange(chosen: string[]): void
  error: string | undefined
}

/** Single actions, by the names that the API's documentation has for them. */
export function ActionChoice({ actions, chosen, onChange, error }: ActionChoiceProps) {
  const t = useTranslations('tokens')
  return (
    <fieldset>
      <legend className="mb-1 font-medium">{t('actions')}</legend>
      <div className="grid max-h-52 grid-cols-1 gap-x-4 overflow-y-auto rounded-lg border p-3 sm:grid-cols-2">
        {actions.map((action) => (
          <Checkbox
            key={action}
            label={<span className="font-mono text-[13px]">{action}</span>}
            checked={chosen.includes(action)}
            onCheckedChange={(checked) => onChange(toggled(chosen, action, checked))}
          />
        ))}
      </div>
      {error !== undefined && (
        <p role="alert" className="mt-1.5 text-[13px] text-danger">
          {error}
        </p>
      )}
    </fieldset>
  )
}
