"""Mends moto 5.2.1 where what it gets wrong, or lacks, keeps much else from being applied.

Python imports this before it starts moto, because the test puts the folder on its path. What is added here
keeps what it is given and gives it back.
"""

import base64
import hashlib
import sys
import traceback
import uuid

from moto.cloudfront import urls as cloudfront_urls
from moto.cloudfront.models import Distribution
from moto.cloudfront.responses import CloudFrontResponse
from moto.core.responses import ActionResult
from moto.elasticache.responses import ElastiCacheResponse
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.rds.models import DBInstance

# Every instance has the same resource id, and readers have that of their primary. Terraform looks
# instances up by it.
DBInstance.dbi_resource_id = property(
    lambda self: "db-" + hashlib.sha256(self.db_instance_identifier.encode()).hexdigest()[:26].upper(),
    lambda self, value: None,
)

# What moto lacks, or breaks on, it answers with 500, which clients take for a passing trouble and ask again and
# again. It is none: 501 is what they do not ask again after.
answer = DomainDispatcherApplication.__call__


def answer_for_good(self, environ, start_response):
    try:
        return answer(self, environ, start_response)
    except Exception as e:
        traceback.print_exc()
        start_response("501 Not Implemented", [("Content-Type", "text/plain")], sys.exc_info())
        return [f"moto: {type(e).__name__}: {e}".encode()]


DomainDispatcherApplication.__call__ = answer_for_good


def operation(response):
    """Makes the function an operation of the service, called as the operation is."""

    def add(function):
        setattr(response, function.__name__, function)
        return function

    return add


# ElastiCache: parameter groups, user groups, and the members of replication groups.

parameter_groups, parameters, user_groups = {}, {}, {}


def arn(response, kind, name):
    return f"arn:aws:elasticache:{response.region}:{response.current_account}:{kind}:{name}"


@operation(ElastiCacheResponse)
def create_cache_parameter_group(self):
    name = self._get_param("CacheParameterGroupName")
    parameter_groups[name] = {
        "CacheParameterGroupName": name,
        "CacheParameterGroupFamily": self._get_param("CacheParameterGroupFamily"),
        "Description": self._get_param("Description"),
        "ARN": arn(self, "parametergroup", name),
    }
    return ActionResult({"CacheParameterGroup": parameter_groups[name]})


@operation(ElastiCacheResponse)
def describe_cache_parameter_groups(self):
    return ActionResult({"CacheParameterGroups": [parameter_groups[self._get_param("CacheParameterGroupName")]]})


@operation(ElastiCacheResponse)
def modify_cache_parameter_group(self):
    name = self._get_param("CacheParameterGroupName")
    for p in self._get_param("ParameterNameValues", []):
        parameters.setdefault(name, {})[p["ParameterName"]] = p["ParameterValue"]
    return ActionResult({"CacheParameterGroupName": name})


@operation(ElastiCacheResponse)
def describe_cache_parameters(self):
    given = parameters.get(self._get_param("CacheParameterGroupName"), {})
    return ActionResult({"Parameters": [{"ParameterName": n, "ParameterValue": v} for n, v in given.items()]})


@operation(ElastiCacheResponse)
def create_user_group(self):
    name = self._get_param("UserGroupId")
    user_groups[name] = {
        "UserGroupId": name,
        "Engine": self._get_param("Engine"),
        "UserIds": self._get_param("UserIds", []),
        "Status": "active",
        "ARN": arn(self, "usergroup", name),
    }
    return ActionResult(user_groups[name])


@operation(ElastiCacheResponse)
def describe_user_groups(self):
    return ActionResult({"UserGroups": [user_groups[self._get_param("UserGroupId")]]})


describe_clusters = ElastiCacheResponse.describe_cache_clusters


@operation(ElastiCacheResponse)
def describe_cache_clusters(self):
    name = self._get_param("CacheClusterId")
    for group in self.elasticache_backend.replication_groups.values():
        if name in group.member_clusters:
            member = {
                "CacheClusterId": name,
                "CacheClusterStatus": "available",
                "CacheNodeType": group.cache_node_type,
                "Engine": group.engine,
                "EngineVersion": group.engine_version,
                "CacheSubnetGroupName": group.cache_subnet_group_name,
                "CacheParameterGroup": {"CacheParameterGroupName": group.cache_parameter_group_name},
                "PreferredMaintenanceWindow": group.preferred_maintenance_window,
                "ReplicationGroupId": group.replication_group_id,
                "ARN": arn(self, "cluster", name),
            }
            return ActionResult({"CacheClusters": [member]})
    return describe_clusters(self)


tags_of = ElastiCacheResponse.list_tags_for_resource


@operation(ElastiCacheResponse)
def list_tags_for_resource(self):
    if self._get_param("ResourceName").split(":")[5] in ("parametergroup", "usergroup"):
        return ActionResult({"TagList": []})
    return tags_of(self)


# CloudFront: its policies, functions and subscriptions.

# The name of a distribution lacks the empty place of the region.
Distribution.arn = property(
    lambda self: self.__dict__["arn"],
    lambda self, value: self.__dict__.update(arn=value.replace(":cloudfront:", ":cloudfront::")),
)

kept = {}
for path in (
    "cache-policy$",
    "cache-policy/(?P<id>[^/]+)$",
    "response-headers-policy$",
    "response-headers-policy/(?P<id>[^/]+)$",
    "function$",
    "function/(?P<name>[^/]+)$",
    "function/(?P<name>[^/]+)/(?P<verb>[^/]+)$",
    "vpc-origin$",
    "vpc-origin/(?P<id>[^/]+)$",
    "distributions/(?P<id>[^/]+)/monitoring-subscription$",
    "distributions/(?P<id>[^/]+)/monitoring-subscription/$",
):
    cloudfront_urls.url_paths["{0}/2020-05-31/" + path] = CloudFrontResponse.dispatch


def keeps(kind, config):
    """Adds the operations that create and get a thing of the kind, which wraps what it is given."""

    def create(self):
        identity = str(uuid.uuid4())
        kept[identity] = {"Id": identity, "Status": "Deployed", "Arn": "arn:aws:cloudfront::" + identity, config: self._get_param(config)}
        return ActionResult({kind: kept[identity], "ETag": "E1"})

    def get(self):
        return ActionResult({kind: kept[self._get_param("Id")], "ETag": "E1"})

    return create, get


CloudFrontResponse.create_cache_policy, CloudFrontResponse.get_cache_policy = keeps("CachePolicy", "CachePolicyConfig")
CloudFrontResponse.create_response_headers_policy, CloudFrontResponse.get_response_headers_policy = keeps(
    "ResponseHeadersPolicy", "ResponseHeadersPolicyConfig"
)
CloudFrontResponse.create_vpc_origin, CloudFrontResponse.get_vpc_origin = keeps("VpcOrigin", "VpcOriginEndpointConfig")


def function_summary(self, name):
    return ActionResult({"FunctionSummary": kept[name], "ETag": "E1"})


@operation(CloudFrontResponse)
def create_function(self):
    name = self._get_param("Name")
    kept[name] = {
        "Name": name,
        "Status": "UNASSOCIATED",
        "FunctionConfig": self._get_param("FunctionConfig"),
        "FunctionMetadata": {"FunctionARN": f"arn:aws:cloudfront::{self.current_account}:function/{name}", "Stage": "LIVE"},
        "code": self._get_param("FunctionCode"),
    }
    return function_summary(self, name)


@operation(CloudFrontResponse)
def describe_function(self):
    return function_summary(self, self._get_param("Name"))


@operation(CloudFrontResponse)
def publish_function(self):
    return function_summary(self, self._get_param("Name"))


@operation(CloudFrontResponse)
def get_function(self):
    code = kept[self._get_param("Name")]["code"]
    return ActionResult({"FunctionCode": base64.b64decode(code) if isinstance(code, str) else code, "ETag": "E1", "ContentType": "application/octet-stream"})


@operation(CloudFrontResponse)
def create_monitoring_subscription(self):
    kept["monitoring" + self._get_param("DistributionId")] = self._get_param("MonitoringSubscription")
    return ActionResult({"MonitoringSubscription": self._get_param("MonitoringSubscription")})


@operation(CloudFrontResponse)
def get_monitoring_subscription(self):
    return ActionResult({"MonitoringSubscription": kept["monitoring" + self._get_param("DistributionId")]})
