'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import {
  type ProviderKind,
  providerKinds,
  type SignInProvider,
  usualIssuers,
} from '@/platform/model/sign-in-settings.ts'
import { createProviderAction, updateProviderAction } from '../../../_actions/sign-in.ts'
import { PasswordField, TextField } from '../../../_ui/field.client.tsx'
import { DialogForm } from '../../../_ui/form.client.tsx'
import { SelectField } from '../../../_ui/select.client.tsx'
import { useAction } from '../../../_ui/use-action.ts'
import { RuleField } from './rule-field.client.tsx'

interface ProviderFormProps {
  /** Null: a new one. */
  provider: SignInProvider | null
  callbackBase: string
  onDone(): void
}

const ruleNames = ['letsRegister', 'linksByEmail', 'trustsEmail', 'allowsPrivate'] as const
const kindNames: Record<ProviderKind, string> = {
  github: 'GitHub',
  gitlab: 'GitLab',
  google: 'Google',
  oidc: 'OpenID Connect',
}

export function ProviderForm({ provider, callbackBase, onDone }: ProviderFormProps) {
  const t = useTranslations('signInAdmin')
  const tCommon = useTranslations('common')
  const tSignIn = useTranslations('signIn')
  const { run, pending, form, errorOf, summary } = useAction()
  const [kind, setKind] = useState<ProviderKind>(provider?.kind ?? 'oidc')
  const [id, setId] = useState(provider?.id ?? '')
  const [rules, setRules] = useState(() =>
    Object.fromEntries(ruleNames.map((name) => [name, provider?.[name] ?? false])),
  )
  const problem = summary(['id', 'name', 'issuer', 'clientId', 'clientSecret'])

  function submit(data: FormData) {
    const text = (name: string) => String(data.get(name) ?? '').trim()
    const issuer = text('issuer')
    const secret = text('clientSecret')
    const common = { name: text('name'), clientId: text('clientId'), ...rules }
    const input = { ...common, ...(issuer === '' ? {} : { issuer }) }
    run(
      () =>
        provider === null
          ? createProviderAction({ ...input, id, kind, clientSecret: secret })
          : updateProviderAction(provider.id, {
              ...input,
              ...(secret === '' ? {} : { clientSecret: secret }),
            }),
      { done: tCommon('saved'), onDone },
    )
  }

  return (
    <DialogForm
      form={form}
      onSubmit={submit}
      problem={problem}
      pending={pending}
      submit={provider === null ? t('add') : tCommon('save')}
    >
      {provider === null && (
        <SelectField
          label={t('kind')}
          value={kind}
          onValueChange={(value) => setKind(providerKinds.find((each) => each === value) ?? 'oidc')}
          items={providerKinds.map((value) => ({ value, label: kindNames[value] }))}
        />
      )}
      <TextField
        label={t('name')}
        name="name"
        key={`name-${kind}`}
        defaultValue={provider?.name ?? (kind === 'oidc' ? '' : kindNames[kind])}
        description={t('nameDescription')}
        error={errorOf('name')}
      />
      {provider === null && (
        <TextField
          label={t('id')}
          value={id}
          onValueChange={setId}
          description={t('idDescription')}
          error={errorOf('id')}
          mono
        />
      )}
      <div>
        <p className="font-medium">{t('callback')}</p>
        <p className="mt-0.5 break-all rounded-lg bg-sunken px-3 py-2 font-mono text-[13px]">
          {callbackBase}
          {id === '' ? '…' : id}
        </p>
      </div>
      <TextField
        label={t('issuer')}
        name="issuer"
        key={`issuer-${kind}`}
        defaultValue={provider?.issuer ?? usualIssuers[kind] ?? ''}
        placeholder="https://login.example.org"
        error={errorOf('issuer')}
        mono
      />
      <TextField
        label={t('clientId')}
        name="clientId"
        defaultValue={provider?.clientId ?? ''}
        error={errorOf('clientId')}
        mono
      />
      <PasswordField
        label={t('clientSecret')}
        name="clientSecret"
        autoComplete="off"
        showLabel={tSignIn('show')}
        hideLabel={tSignIn('hide')}
        description={provider === null ? undefined : t('keptSecret')}
        error={errorOf('clientSecret')}
      />
      <fieldset className="space-y-3">
        {ruleNames.map((name) => (
          <RuleField
            key={name}
            label={t(`rules.${name}.label`)}
            description={t(`rules.${name}.description`)}
            checked={rules[name] ?? false}
            onCheckedChange={(checked) => setRules({ ...rules, [name]: checked })}
          />
        ))}
      </fieldset>
    </DialogForm>
  )
}
