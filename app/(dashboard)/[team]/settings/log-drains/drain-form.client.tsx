'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { type DrainKind, drainKinds, type LogDrain } from '@/platform/model/log-drains.ts'
import { createDrainAction, updateDrainAction } from '../../../../_actions/log-drains.ts'
import { TextAreaField, TextField } from '../../../../_ui/field.client.tsx'
import { DialogForm } from '../../../../_ui/form.client.tsx'
import { SelectField } from '../../../../_ui/select.client.tsx'
import { useAction } from '../../../../_ui/use-action.ts'
import { type DrainScope, placesOf, scopeOf, several } from './drain-scope.ts'

const examples: Record<DrainKind, string> = {
  syslog: 'syslog+tls://logs.example.org:6514',
  http: 'https://logs.example.org/berth',
  loki: 'https://loki.example.org/loki/api/v1/push',
}

type DrainFormProps = { scopes: DrainScope[]; onDone(): void } & ({ teamId: string } | { drain: LogDrain })

/** A new drain, or another name, address, header or scope for one. What is secret of it is not told again. */
export function DrainForm({ scopes, onDone, ...of }: DrainFormProps) {
  const t = useTranslations('logDrains')
  const tCommon = useTranslations('common')
  const { run, pending, form, errorOf, summary, problem } = useAction()
  const kept = 'drain' in of ? of.drain : null
  const [kind, setKind] = useState<DrainKind>(kept?.kind ?? 'http')
  const [scope, setScope] = useState(kept === null ? '' : scopeOf(kept))
  const words = summary(['name', 'url', 'headers', 'ca'])
  const ofHeaders = problem?.fields.some(({ path }) => path.startsWith('headers'))
    ? t('headersProblem')
    : undefined

  function submit(fields: FormData) {
    const text = (name: string) => String(fields.get(name) ?? '').trim()
    const [name, url, headers, ca] = [text('name'), text('url'), headersFrom(text('headers')), text('ca')]
    const places = placesOf(scope, scopes)
    const act = () =>
      'teamId' in of
        ? createDrainAction(of.teamId, { kind, name, url, headers, ca, ...places })
        : updateDrainAction(of.drain.id, {
            ...{ name, ...places },
            ...(url === '' ? {} : { url }),
            ...(text('headers') === '' ? {} : { headers }),
            ...(ca === '' ? {} : { ca }),
          })
    run(act, { onDone, done: t('saved') })
  }

  return (
    <DialogForm
      form={form}
      onSubmit={submit}
      problem={ofHeaders === undefined ? words : null}
      pending={pending}
      submit={tCommon('save')}
    >
      <TextField label={t('name')} name="name" autoFocus defaultValue={kept?.name} error={errorOf('name')} />
      {kept === null && (
        <SelectField
          label={t('kind')}
          value={kind}
          onValueChange={(value) => setKind(value as DrainKind)}
          items={drainKinds.map((each) => ({ value: each, label: t(`kinds.${each}`) }))}
        />
      )}
      <TextField
        label={t('url')}
        name="url"
        mono
        spellCheck={false}
        placeholder={kept === null ? examples[kind] : kept.targetHint}
        description={kept === null ? t(`urlDescription.${kind}`) : t('unchanged')}
        error={errorOf('url')}
      />
      {kind !== 'syslog' && (
        <TextAreaField
          label={t('headers')}
          name="headers"
          hint={t('optional')}
          rows={2}
          mono
          placeholder={'Authorization: Bearer …\nX-Scope-OrgID: acme'}
          description={
            kept !== null && kept.headers.length > 0
              ? t('headersKept', { names: kept.headers.join(', ') })
              : t('headersDescription')
          }
          error={ofHeaders}
        />
      )}
      <SelectField
        label={t('scope')}
        value={scope}
        onValueChange={setScope}
        items={[
          { value: '', label: t('allApps') },
          ...(scope === several ? [{ value: several, label: t('several') }] : []),
          ...scopes.map(({ id, kind: of, name }) => ({ value: id, label: t(`scopeOf.${of}`, { name }) })),
        ]}
      />
      <TextAreaField
        label={t('ca')}
        name="ca"
        hint={t('optional')}
        rows={2}
        mono
        placeholder="-----BEGIN CERTIFICATE-----"
        description={t('caDescription')}
        error={errorOf('ca')}
      />
    </DialogForm>
  )
}

/** A line each, as HTTP has them. */
function headersFrom(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':')
      return colon < 0 ? [line.trim(), ''] : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()]
    }),
  )
}
