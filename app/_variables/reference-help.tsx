import { getTranslations } from 'next-intl/server'
import type { Referable } from '@/platform/referable.ts'
import { CopyButton } from '../_ui/copy-button.client.tsx'

const reference = (app: string | null, name: string) =>
  '$'.concat(app === null ? `{{${name}}}` : `{{${app}.${name}}}`)

/** How one value refers to another, and what there is to refer to. */
export async function ReferenceHelp({ referable }: { referable: Referable[] }) {
  const t = await getTranslations('variables')
  return (
    <details className="group rounded-lg border bg-sunken">
      <summary className="cursor-pointer px-4 py-2.5 font-medium">{t('references')}</summary>
      <div className="space-y-4 border-t px-4 py-3">
        <p className="max-w-prose text-muted">
          {t.rich('referencesDescription', {
            own: reference(null, 'NAME'),
            other: reference('app', 'NAME'),
            code: (words) => <code className="whitespace-nowrap text-foreground">{words}</code>,
          })}
        </p>
        {referable.map(({ app, names }) => (
          <section key={app ?? ''}>
            <h3 className="mb-1 font-medium">{app === null ? t('shared') : app}</h3>
            <ul className="flex flex-wrap gap-x-4 gap-y-1">
              {names.map((name) => (
                <li key={name} className="flex items-center gap-0.5">
                  <code className="break-all">{reference(app, name)}</code>
                  <CopyButton text={reference(app, name)} label={t('copyReference', { name })} />
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
    </details>
  )
}
