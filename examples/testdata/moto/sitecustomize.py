"""Mends what moto 5.2.1 gets wrong, where that keeps much else from being applied.

Python imports this before it starts moto, because the test puts the folder on its path.
"""

import hashlib

from moto.rds import models as rds

# Every instance has the same resource id, and readers have that of their primary. Terraform looks
# instances up by it.
rds.DBInstance.dbi_resource_id = property(
    lambda self: "db-" + hashlib.sha256(self.db_instance_identifier.encode()).hexdigest()[:26].upper(),
    lambda self, value: None,
)
