'use client'

import { Download } from 'lucide-react'
import { useTranslations } from 'next-intl'
import type { VariableOwner } from '@/platform/variable-owner.ts'
import { exportVariablesAction } from '../_actions/variables.ts'
import { Button } from '../_ui/button.tsx'
import { useAction } from '../_ui/use-action.ts'

/** Saves a .env file. Secrets are in it by name only. */
export function ExportButton({ owner }: { owner: VariableOwner }) {
  const t = useTranslations('variables')
  const { run, pending } = useAction({ refresh: false })
  return (
    <Button
      size="small"
      tone="ghost"
      pending={pending}
      onClick={() => run(() => exportVariablesAction(owner), { onDone: saveAs })}
    >
      <Download aria-hidden />
      {t('export')}
    </Button>
  )
}

function saveAs(text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }))
  const link = document.createElement('a')
  link.href = url
  link.download = '.env'
  link.click()
  URL.revokeObjectURL(url)
}
