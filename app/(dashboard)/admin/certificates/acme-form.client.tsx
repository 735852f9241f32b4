'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { type AcmeState, usualDirectory } from '@/platform/model/acme-settings.ts'
import { changeAcmeAction, removeAcmeAction } from '../../../_actions/acme.ts'
import { Button } from '../../../_ui/button.tsx'
import { ConfirmDialog } from '../../../_ui/confirm-dialog.client.tsx'
import { TextAreaField, TextField } from '../../../_ui/field.client.tsx'
import { Form } from '../../../_ui/form.client.tsx'
import { useAction } from '../../../_ui/use-action.ts'

export function AcmeForm({ server }: { server: AcmeState['server'] }) {
  const t = useTranslations('acme')
  const tCommon = useTranslations('common')
  const { run, pending, form, errorOf, summary } = useAction()
  const [directory, setDirectory] = useState(server?.directoryUrl ?? usualDirectory)
  const [agreed, setAgreed] = useState(server !== null)
  const problem = summary(['directoryUrl', 'email', 'authority', 'termsAgreed'])
  const terms = errorOf('termsAgreed')

  function submit(data: FormData) {
    const text = (name: string) => String(data.get(name) ?? '').trim()
    const input = { directoryUrl: text('directoryUrl'), email: text('email'), authority: text('authority') }
    // Unticked it is refused at its field, like all else.
    run(() => changeAcmeAction({ ...input, termsAgreed: agreed as true }), { done: tCommon('saved') })
  }

  return (
    <Form
      form={form}
      onSubmit={submit}
      problem={problem}
      pending={pending}
      submit={tCommon('save')}
      actions={
        server !== null && (
          <ConfirmDialog
            title={t('removeTitle')}
            description={t('removeDescription')}
            confirmLabel={t('remove')}
            done={tCommon('saved')}
            trigger={<Button>{t('remove')}</Button>}
            action={() => removeAcmeAction()}
          />
        )
      }
    >
      <TextField
        label={t('directoryUrl')}
        description={t(directory.trim() === usualDirectory ? 'directoryIsUsual' : 'directoryDescription')}
        name="directoryUrl"
        value={directory}
        onValueChange={setDirectory}
        error={errorOf('directoryUrl')}
        spellCheck={false}
        mono
      />
      <TextField
        label={t('email')}
        hint={t('optional')}
        description={t('emailDescription')}
        name="email"
        type="email"
        defaultValue={server?.email ?? ''}
        error={errorOf('email')}
      />
      <details open={(server?.authority ?? '') !== ''}>
        <summary className="w-fit cursor-pointer text-muted">{t('private')}</summary>
        <TextAreaField
          className="mt-3"
          label={t('authority')}
          description={t('authorityDescription')}
          name="authority"
          defaultValue={server?.authority ?? ''}
          error={errorOf('authority')}
          mono
        />
      </details>
      <div>
        <label className="flex items-center gap-2">
          <input
            type="checkbox"
            checked={agreed}
            aria-invalid={terms !== undefined}
            aria-describedby={terms === undefined ? undefined : 'terms-problem'}
            onChange={(event) => setAgreed(event.target.checked)}
          />
          {t('terms')}
        </label>
        {terms !== undefined && (
          <p id="terms-problem" className="mt-1.5 text-danger text-xs">
            {terms}
          </p>
        )}
      </div>
    </Form>
  )
}
