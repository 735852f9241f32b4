/** Server actions may only call what a route that is audited calls, what is called by itself there, and what changes nothing. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { actionUses, readers } from './audited/action-uses.ts'

const root = join(import.meta.dirname, '../../..')

test('server actions change things by no other functions than those above', () => {
  const byRoutes = new Set(files('app/api/v1/_routes').flatMap(usedByChangingRoutes))
  expect([...byRoutes]).toEqual(expect.arrayContaining(['deleteTeam', 'createTeamToken', 'setVariables']))
  const byActions = files('app/_actions').flatMap((file) => platformFunctions(file, file))
  expect(byActions.length).toBeGreaterThan(40)
  const known = new Set([...byRoutes, ...Object.keys(actionUses), ...readers])
  expect(byActions.filter((name) => !known.has(name))).toEqual([])
})

function files(folder: string): ts.SourceFile[] {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const text = readFileSync(join(root, folder, name), 'utf8')
      return ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true)
    })
}

/** Names of the functions of platform/ that are spoken of within the node. */
function platformFunctions(file: ts.SourceFile, within: ts.Node): string[] {
  const imported = new Set<string>()
  for (const statement of file.statements) {
    if (!ts.isImportDeclaration(statement) || !/platform\//.test(statement.moduleSpecifier.getText()))
      continue
    const names = statement.importClause?.namedBindings
    if (names === undefined || !ts.isNamedImports(names)) continue
    // Functions begin with a small letter; so do schemas, which end in this.
    for (const { name, isTypeOnly } of names.elements)
      if (!isTypeOnly && /^[a-z]/.test(name.text) && !/Schema$/.test(name.text)) imported.add(name.text)
  }
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) return
    if (ts.isIdentifier(node) && imported.has(node.text)) found.push(node.text)
    ts.forEachChild(node, visit)
  }
  visit(within)
  return found
}

function calls(node: ts.Node): ts.CallExpression[] {
  const inside: ts.CallExpression[] = []
  const visit = (child: ts.Node): void => {
    if (ts.isCallExpression(child)) inside.push(child)
    ts.forEachChild(child, visit)
  }
  visit(node)
  return inside
}

/** `api.openapi(createRoute({method: 'post', …}), handler)`: what such handlers speak of, with the list that makes several. */
function usedByChangingRoutes(file: ts.SourceFile): string[] {
  return calls(file)
    .filter(({ expression }) => expression.getText() === 'api.openapi')
    .filter(({ arguments: [route] }) => !/method: 'get'/.test(route?.getText() ?? ''))
    .flatMap((call) => {
      const list = ts.findAncestor(call, ts.isForOfStatement)?.expression
      const [, handler] = call.arguments
      return [handler, list].flatMap((node) => (node === undefined ? [] : platformFunctions(file, node)))
    })
}
