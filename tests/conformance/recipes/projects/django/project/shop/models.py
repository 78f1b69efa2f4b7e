from django.db import models


class User(models.Model):
    email = models.CharField(max_length=200, null=True)

    class Meta:
        db_table = "users"


class Post(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    title = models.CharField(max_length=200, null=True)

    class Meta:
        db_table = "posts"
