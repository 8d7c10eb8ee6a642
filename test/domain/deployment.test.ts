import { expect, test } from '../support/jest.ts';
import { makeCurrent } from '../../domain/request/deployment.ts';

test('the command that makes a version current is one that a shell reads as it is meant, whatever the names are', () => {
  expect(makeCurrent({ deploymentName: 'signon-rotation-integration', buildId: '1.2.3+7' })).toBe(
    'temporal worker deployment set-current-version --deployment-name signon-rotation-integration --build-id 1.2.3+7',
  );
  expect(makeCurrent({ deploymentName: 'a b', buildId: `x'; rm -rf / #` })).toBe(
    String.raw`temporal worker deployment set-current-version --deployment-name 'a b' --build-id 'x'\''; rm -rf / #'`,
  );
});
