'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { type Registration, registrations } from '@/platform/model/sign-in-settings.ts'
import { changeRegistrationAction } from '../../../_actions/sign-in.ts'
import { TextField } from '../../../_ui/field.client.tsx'
import { Form } from '../../../_ui/form.client.tsx'
import { Notice } from '../../../_ui/notice.tsx'
import { SelectField } from '../../../_ui/select.client.tsx'
import { useAction } from '../../../_ui/use-action.ts'

export function RegistrationForm({ registration, domains, hasMail }: Registration & { hasMail: boolean }) {
  const t = useTranslations('signInAdmin')
  const tCommon = useTranslations('common')
  const { run, pending, form, errorOf, problem, summary } = useAction()
  const [kind, setKind] = useState(registration)
  const [text, setText] = useState(domains.join(', '))
  const wrongDomain = problem?.fields.find(({ path }) => path.startsWith('domains.'))?.path
  const rest = summary(['domains', ...(wrongDomain === undefined ? [] : [wrongDomain])])
  return (
    <Form
      form={form}
      onSubmit={() => {
        const list = text.split(/[\s,;]+/).filter((domain) => domain !== '')
        const input = { registration: kind, domains: kind === 'domains' ? list : [] }
        run(() => changeRegistrationAction(input), { done: tCommon('saved') })
      }}
      problem={rest}
      pending={pending}
      submit={tCommon('save')}
    >
      <SelectField
        label={t('mayRegister')}
        description={t(`registrations.${kind}.description`)}
        value={kind}
        onValueChange={(value) => setKind(registrations.find((each) => each === value) ?? 'invitation')}
        items={registrations.map((value) => ({ value, label: t(`registrations.${value}.label`) }))}
      />
      {kind === 'domains' && (
        <TextField
          label={t('domains')}
          description={t('domainsDescription')}
          value={text}
          onValueChange={setText}
          error={errorOf('domains') ?? (wrongDomain === undefined ? undefined : errorOf(wrongDomain))}
        />
      )}
      {kind !== 'invitation' && !hasMail && <Notice tone="warning">{t('needsMail')}</Notice>}
    </Form>
  )
}
