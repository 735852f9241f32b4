'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { forges, type GitRef, type GitSource, type GitSourceInput } from '@/platform/model/git-source.ts'
import { setGitSourceAction } from '../../../../../_actions/git.ts'
import { PasswordField, TextAreaField, TextField } from '../../../../../_ui/field.client.tsx'
import { Form } from '../../../../../_ui/form.client.tsx'
import { SelectField } from '../../../../../_ui/select.client.tsx'
import { SwitchField } from '../../../../../_ui/switch.client.tsx'
import { useAction } from '../../../../../_ui/use-action.ts'

const kinds = ['branch', 'tag', 'commit'] as const
const shown = ['address', 'ref.name', 'username', 'token', 'hostKeys', 'ca', 'watchPaths', 'pollSeconds']

const linesOf = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')

/** Where the source is, who may read it, and which pushes are deployed. */
export function GitForm({ appId, source }: { appId: string; source: GitSource | null }) {
  const t = useTranslations('git')
  const tCommon = useTranslations('common')
  const { run, pending, errorOf, summary, form } = useAction()
  const [address, setAddress] = useState(source?.address ?? '')
  const [kind, setKind] = useState<GitRef['kind']>(source?.ref.kind ?? 'branch')
  const [forge, setForge] = useState(source?.forge ?? 'none')
  const isSsh = /^(ssh:\/\/|[^/:]+@)/.test(address)
  const problem = summary(shown)
  // Which line is wrong is said with its place in the list.
  const errorIn = (field: string) =>
    errorOf(field) ??
    Array.from({ length: 50 }, (_, at) => errorOf(`${field}.${at}`)).find((each) => each !== undefined)

  function submit(data: FormData) {
    const text = (name: string) => String(data.get(name) ?? '').trim()
    const minutes = text('poll')
    const input: GitSourceInput = {
      address,
      ref: { kind, name: text('ref') },
      forge: forges.find((each) => each === forge) ?? null,
      autoDeploy: data.get('autoDeploy') === 'on',
      watchPaths: linesOf(text('watchPaths')),
      pollSeconds: minutes === '' ? null : Math.round(Number(minutes) * 60),
      ca: text('ca') === '' ? null : text('ca'),
      ...(isSsh
        ? { hostKeys: linesOf(text('hostKeys')) }
        : { username: text('username'), ...(text('token') === '' ? {} : { token: text('token') }) }),
    }
    run(() => setGitSourceAction(appId, input), { done: tCommon('saved') })
  }

  return (
    <Form form={form} onSubmit={submit} problem={problem} pending={pending} submit={tCommon('save')}>
      <TextField
        label={t('address')}
        name="address"
        mono
        value={address}
        onValueChange={setAddress}
        placeholder="https://github.com/acme/shop.git"
        description={t('addressDescription')}
        spellCheck={false}
        error={errorOf('address')}
      />
      <div className="grid gap-4 sm:grid-cols-2">
        <SelectField
          label={t('kind')}
          items={kinds.map((value) => ({ value, label: t(`kinds.${value}`) }))}
          value={kind}
          onValueChange={(value) => setKind(kinds.find((each) => each === value) ?? 'branch')}
        />
        <TextField
          label={t('ref')}
          name="ref"
          mono
          defaultValue={source?.ref.name ?? 'main'}
          spellCheck={false}
          error={errorOf('ref.name')}
        />
        {!isSsh && (
          <>
            <PasswordField
              label={t('token')}
              name="token"
              autoComplete="off"
              showLabel={t('show')}
              hideLabel={t('hide')}
              hint={t('optional')}
              description={source?.hasToken ? t('tokenKept') : t('tokenDescription')}
              error={errorOf('token')}
            />
            <TextField
              label={t('username')}
              name="username"
              hint={t('optional')}
              defaultValue={source?.username}
              description={t('usernameDescription')}
              error={errorOf('username')}
            />
          </>
        )}
      </div>
      {isSsh && (
        <TextAreaField
          label={t('hostKeys')}
          name="hostKeys"
          rows={2}
          mono
          defaultValue={source?.hostKeys.map(({ key }) => key).join('\n')}
          description={t('hostKeysDescription')}
          error={errorIn('hostKeys')}
        />
      )}
      <SwitchField
        label={t('autoDeploy')}
        description={t('autoDeployDescription')}
        name="autoDeploy"
        defaultChecked={source?.autoDeploy ?? true}
      />
      <TextAreaField
        label={t('watchPaths')}
        name="watchPaths"
        rows={2}
        mono
        hint={t('optional')}
        defaultValue={source?.watchPaths.join('\n')}
        description={t('watchPathsDescription')}
        error={errorIn('watchPaths')}
      />
      <details className="group">
        <summary className="cursor-pointer font-medium text-muted hover:text-foreground">{t('more')}</summary>
        <div className="mt-4 grid gap-4 sm:grid-cols-2">
          <TextField
            label={t('poll')}
            name="poll"
            inputMode="decimal"
            hint={t('optional')}
            suffix={t('minutes')}
            defaultValue={source?.pollSeconds == null ? '' : String(source.pollSeconds / 60)}
            description={t('pollDescription')}
            error={errorOf('pollSeconds')}
          />
          <SelectField
            label={t('forge')}
            items={['none', ...forges].map((value) => ({ value, label: t(`forges.${value as 'none'}`) }))}
            value={forge}
            onValueChange={setForge}
            description={t('forgeDescription')}
          />
          <TextAreaField
            className="sm:col-span-2"
            label={t('ca')}
            name="ca"
            rows={3}
            mono
            hint={t('optional')}
            defaultValue={source?.ca ?? ''}
            description={t('caDescription')}
            error={errorOf('ca')}
          />
        </div>
      </details>
    </Form>
  )
}
