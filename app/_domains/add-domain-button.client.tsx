'use client'

import { Plus } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { addDomainAction } from '../_actions/domains.ts'
import { Button } from '../_ui/button.tsx'
import { Modal } from '../_ui/dialog.client.tsx'
import { TextField } from '../_ui/field.client.tsx'
import { DialogForm } from '../_ui/form.client.tsx'
import { useAction } from '../_ui/use-action.ts'

export function AddDomainButton({ appId }: { appId: string }) {
  const t = useTranslations('domains')
  const { run, pending, form, errorOf, summary, clear } = useAction()
  const [open, setOpen] = useState(false)
  const [name, setName] = useState('')
  const [path, setPath] = useState('')
  const [strip, setStrip] = useState(false)
  const [target, setTarget] = useState('')

  const hasPath = path.trim() !== '' && path.trim() !== '/'
  const canStrip = hasPath && target.trim() === ''
  const problem = summary(['name', 'pathPrefix', 'redirectTo'])

  function change(next: boolean) {
    clear()
    setOpen(next)
    if (next) for (const empty of [setName, setPath, setTarget]) empty('')
    if (next) setStrip(false)
  }

  return (
    <Modal
      open={open}
      onOpenChange={change}
      title={t('addTitle')}
      description={t('addDescription')}
      trigger={
        <Button size="small">
          <Plus aria-hidden />
          {t('add')}
        </Button>
      }
    >
      <DialogForm
        form={form}
        onSubmit={() => {
          const input = {
            name,
            ...(hasPath ? { pathPrefix: path.trim() } : {}),
            stripPrefix: strip && canStrip,
            redirectTo: target.trim() === '' ? null : target,
          }
          run(() => addDomainAction(appId, input), { onDone: () => change(false), done: t('added') })
        }}
        problem={problem}
        pending={pending}
        submit={t('add')}
      >
        <TextField
          label={t('name')}
          description={t('nameDescription')}
          value={name}
          onValueChange={setName}
          error={errorOf('name')}
          placeholder="shop.example.com"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus
        />
        <TextField
          label={t('path')}
          hint={t('optional')}
          description={t('pathDescription')}
          value={path}
          onValueChange={setPath}
          error={errorOf('pathPrefix')}
          placeholder="/api"
          spellCheck={false}
        />
        {canStrip && (
          <label className="flex items-center gap-2">
            <input type="checkbox" checked={strip} onChange={(event) => setStrip(event.target.checked)} />
            {t('strip')}
          </label>
        )}
        <TextField
          label={t('target')}
          hint={t('optional')}
          description={t('targetDescription')}
          value={target}
          onValueChange={setTarget}
          error={errorOf('redirectTo')}
          placeholder="https://www.example.com"
          spellCheck={false}
        />
      </DialogForm>
    </Modal>
  )
}
