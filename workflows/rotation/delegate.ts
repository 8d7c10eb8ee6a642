import { introduce, type RotationReport } from '../../domain/rotation/index.ts';
import { rotationId } from '../../domain/request/index.ts';
import { activities, startCanonical } from '../shared/index.ts';
import type { Runbook } from './runbook.ts';

/** Hands a request over to its canonical id, which is the pair's lock, and says so. */
export async function delegate(book: Runbook): Promise<RotationReport> {
  const { request } = book;
  const starter = await book.step('assess', async () => {
    // Refuses a request of another environment here, not in the child.
    book.linkTo(await activities.beginRotation(request));
    return activities.readStarter();
  });
  return book.close(
    'delegated',
    `the rotation ${await startCanonical(rotationId(request), request, starter, introduce(request))}`,
  );
}
