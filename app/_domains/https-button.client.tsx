'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import type { Domain } from '@/platform/model/domains.ts'
import { changeDomainAction } from '../_actions/domains.ts'
import { Button } from '../_ui/button.tsx'
import { Modal } from '../_ui/dialog.client.tsx'
import { DialogForm } from '../_ui/form.client.tsx'
import { SelectField } from '../_ui/select.client.tsx'
import { useAction } from '../_ui/use-action.ts'

const redirects = { auto: null, yes: true, no: false } as const
const day = 86_400
const offered = [day, 30 * day, 365 * day, 730 * day]

type Props = Pick<Domain, 'id' | 'displayName' | 'httpsRedirect' | 'hstsSeconds'>

/** Whether visitors are sent to HTTPS, and what browsers are told to remember of that. */
export function HttpsButton({ id, displayName, httpsRedirect, hstsSeconds }: Props) {
  const t = useTranslations('domains.https')
  const tCommon = useTranslations('common')
  const { run, pending, form, errorOf, summary, clear } = useAction()
  const [open, setOpen] = useState(false)
  const [redirect, setRedirect] = useState<keyof typeof redirects>('auto')
  const [hsts, setHsts] = useState('none')
  const problem = summary(['hstsSeconds', 'httpsRedirect'])
  const seconds = [...new Set([...offered, ...(hstsSeconds ? [hstsSeconds] : [])])].sort((a, b) => a - b)

  function change(next: boolean) {
    clear()
    setOpen(next)
    setRedirect(httpsRedirect === null ? 'auto' : httpsRedirect ? 'yes' : 'no')
    setHsts(hstsSeconds === null ? 'none' : String(hstsSeconds))
  }

  return (
    <Modal
      open={open}
      onOpenChange={change}
      title={t('title', { name: displayName })}
      trigger={
        <Button size="small" aria-label={t('title', { name: displayName })}>
          HTTPS
        </Button>
      }
    >
      <DialogForm
        form={form}
        onSubmit={() => {
          const input = {
            httpsRedirect: redirects[redirect],
            hstsSeconds: hsts === 'none' ? null : Number(hsts),
          }
          run(() => changeDomainAction(id, input), { onDone: () => change(false), done: t('saved') })
        }}
        problem={problem}
        pending={pending}
        submit={tCommon('save')}
      >
        <SelectField
          label={t('redirect')}
          description={t('redirectDescription')}
          items={(['auto', 'yes', 'no'] as const).map((value) => ({ value, label: t(`redirects.${value}`) }))}
          value={redirect}
          onValueChange={(value) => setRedirect(value as keyof typeof redirects)}
          error={errorOf('httpsRedirect')}
        />
        <SelectField
          label={t('hsts')}
          description={t('hstsDescription')}
          items={[
            { value: 'none', label: t('hstsNone') },
            { value: '0', label: t('hstsForget') },
            ...seconds.map((each) => ({ value: String(each), label: t('days', { count: each / day }) })),
          ]}
          value={hsts}
          onValueChange={setHsts}
          error={errorOf('hstsSeconds')}
        />
      </DialogForm>
    </Modal>
  )
}
