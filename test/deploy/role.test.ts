import { afterEach, expect, test } from '../support/jest.ts';
import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { RIGHTS } from '../../activities/kubernetes/rights.ts';
import { Stage } from '../support/stage.ts';

interface Rule {
  resources: string[];
  verbs: string[];
}

const documents = parseAllDocuments(
  readFileSync(new URL('../../deploy/kubernetes/role.yaml', import.meta.url), 'utf8'),
).map((document) => document.toJS() as { kind: string; rules?: Rule[] });
const { rules = [] } = documents.find(({ kind }) => kind === 'Role') ?? {};
/** The role that is deployed, as resource and verbs. */
const ROLE = Object.fromEntries(
  rules.flatMap(({ resources, verbs }) => resources.map((resource) => [resource, verbs])),
);

let stage: Stage;
afterEach(() => stage.strike());

test('a rotation needs every right that the deployed role gives, and no other; doctor asks for the same', async () => {
  stage = await Stage.set();
  const { kubernetes } = stage.sandbox;
  for (const resource of Object.keys(kubernetes.role)) delete kubernetes.role[resource];
  Object.assign(kubernetes.role, ROLE);
  await stage.worker();
  const rotation = await stage.rotation();
  await rotation.approve();
  expect(await rotation.report()).toMatchObject({ outcome: 'rotated' });
  const known = RIGHTS.map(({ resource, verb }) => `${resource} ${verb}`);
  expect([...kubernetes.asked].toSorted()).toEqual(known.toSorted());
  const given = Object.entries(ROLE).flatMap(([resource, verbs]) =>
    verbs.map((verb) => `${resource} ${verb}`),
  );
  expect([...kubernetes.asked].toSorted()).toEqual(given.toSorted());
});
