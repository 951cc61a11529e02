"""An S3 server of its own for a test, on a free port of the loopback, with one bucket."""
import logging

import boto3
from moto.server import ThreadedMotoServer


class Store:
    def __init__(self):
        logging.getLogger('werkzeug').setLevel(logging.ERROR)
        self.server = ThreadedMotoServer(ip_address='127.0.0.1', port=0, verbose=False)
        self.server.start()
        self.endpoint = 'http://127.0.0.1:%d' % self.server.get_host_and_port()[1]
        self.client = self.clientOf('s3', 'key', 'the/secret+')
        self.client.create_bucket(Bucket='bucket')

    def clientOf(self, service, key, secret):
        return boto3.client(service, endpoint_url=self.endpoint, aws_access_key_id=key, aws_secret_access_key=secret,
                            region_name='us-east-1')

    def names(self, prefix=''):
        listed = self.client.list_objects_v2(Bucket='bucket', Prefix=prefix).get('Contents', [])
        return [entry['Key'] for entry in listed]
